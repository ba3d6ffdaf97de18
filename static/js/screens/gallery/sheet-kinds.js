/* What the sheet below the map can hold: pictures, and a sentence on why they are these. */
import { percent } from "../../ui/format.js";
import { probeName } from "../../ui/probe-scores.js";
import { probeQuery } from "./state.js";

/** @typedef {import("./state.js").State} State */
/** @typedef {import("./state.js").Shown} Shown */
/** @typedef {import("./tiles.js").Tile} Tile */
/** @typedef {"selection" | "unusual" | "doubles" | "mistakes"} Kind */
/** @typedef {{ words: string, tiles: Tile[] }} Content */

/**
 * @typedef {object} Asked
 * @property {State} state
 * @property {Shown} shown
 * @property {number} threshold of near-duplicates
 * @property {() => boolean} still whether it is still wanted
 * @property {(words: string) => void} onwait
 */

/** @type {Record<Kind, string>} */
export const KINDS = {
  selection: "Selection",
  unusual: "Unusual",
  doubles: "Near-duplicates",
  mistakes: "Mistakes",
};
const MOST = 200; // unusual pictures
const SELECTED = 2000; // pictures of a selection that can be looked at in the sheet

/** @param {Shown} shown @param {number} index @param {string} words @param {string} [kind] @returns {Tile} */
const tile = ({ names }, index, words, kind) => ({
  index,
  title: names.of(index),
  words,
  kind,
});

/** @param {Shown} shown @param {number} label */
const className = ({ gallery }, label) => gallery.facts.classes[label] ?? "";

/** @type {Record<Kind, (asked: Asked) => Content | Promise<Content | null>>} null: overtaken */
export const LOAD = {
  selection({ state, shown }) {
    const { indices, words } = state.selection;
    const nothing =
      "Nothing is selected: draw a lasso on the map, search, or press a group of the legend.";
    return {
      words: indices.length
        ? `${words || `${indices.length} pictures selected`}. They are what CSV takes along.`
        : nothing,
      tiles: indices
        .slice(0, SELECTED)
        .map((i) => tile(shown, i, className(shown, shown.gallery.labels[i]))),
    };
  },

  async unusual({ state, shown, still, onwait }) {
    const query = { features: state.features, layer: state.layer },
      found = await shown.data.settle("outliers", { query, still, onwait });
    if (!found) return null;
    return {
      words:
        "Far from every other picture: the mean of 1 − cosine similarity over the " +
        `${found.facts.k} nearest ones, the largest first. ${found.facts.words}`.trim(),
      tiles: [...found.order].slice(0, MOST).map((i) => tile(shown, i, found.scores[i].toFixed(3))),
    };
  },

  async doubles({ shown, threshold, still, onwait }) {
    const found = await shown.data.settle("duplicates", { query: { threshold }, still, onwait });
    if (!found) return null;
    const { pairs, similarities, same, facts } = found,
      identical = same.reduce((total, one) => total + one, 0),
      least = threshold.toFixed(3);
    const tiles = [...similarities].flatMap((value, n) => {
      const words = same[n] ? "the same" : value.toFixed(3);
      return [
        tile(shown, pairs[2 * n], words, "first"),
        tile(shown, pairs[2 * n + 1], words, "second"),
      ];
    });
    const exact = identical ? `, ${identical} of them the same to the last pixel` : "";
    return {
      words: similarities.length
        ? `${similarities.length} pairs with a cosine similarity of at least ${least}${exact}. ${facts.words}`
        : `No two pictures have a cosine similarity of ${least} or more.`,
      tiles,
    };
  },

  async mistakes({ state, shown, still, onwait }) {
    if (!shown.gallery.facts.classes.length)
      return { words: "Mistakes need labels: a folder for each class in the zip.", tiles: [] };
    const query = probeQuery(state),
      name = probeName(state),
      found = await shown.data.settle("predictions", { query, still, onwait });
    if (!found) return null;
    const judged = found.labels.reduce((total, one) => total + Number(one >= 0), 0),
      { labels } = shown.gallery,
      wrong = found.mistakes.length;
    return {
      words:
        `${name}: ${wrong} of ${judged} pictures wrong ` +
        `(${percent(wrong / Math.max(judged, 1))}), the surest first. ` +
        `${found.facts.words}`,
      tiles: [...found.mistakes].map((i) => {
        const said = `${className(shown, labels[i])}\n→ ${className(shown, found.labels[i])}`;
        return tile(shown, i, `${said}\n${percent(found.confidence[i], 0)}`, "wrong");
      }),
    };
  },
};
