/* The pictures nearest to the chosen one in the space of the features, and how they vote. */
import { el } from "../../ui/dom.js";
import { percent } from "../../ui/format.js";
import { featureLabel } from "../../ui/probe-scores.js";
import { swatch } from "./chosen.js";
import { fillTiles } from "./tiles.js";

/** @typedef {import("./state.js").State} State */

const VOTES = 3; // classes that are shown

/** @param {State} state @param {import("./actions.js").Actions} actions */
export function createNeighbours(state, actions) {
  const title = el("h2"),
    grid = el("div", {
      class: "inside-tiles near",
      role: "group",
      "aria-label": "Nearest pictures",
    }),
    how = el("p", { class: "inside-note", hidden: true }),
    voteTitle = el("p", { class: "inside-note" }),
    vote = el("div", { class: "inside-bars inside-votes" });

  /** @param {import("./data.js").Neighbours} near @param {import("./state.js").Shown} shown */
  function fill(near, { gallery, names, thumbnails }) {
    const tiles = [...near.indices].map((index, n) => ({
      index,
      title: names.of(index),
      words: near.similarities[n].toFixed(3),
    }));
    title.textContent = `The ${tiles.length} nearest in the original space`;
    how.textContent = near.facts.words;
    how.hidden = !near.facts.words;
    fillTiles(grid, thumbnails, tiles, { onchoose: actions.pick });
    voteTitle.hidden = vote.hidden = !near.facts.votes.length;
    voteTitle.textContent =
      `How these ${tiles.length} vote by their labels, the nearer with more weight ` +
      `(${featureLabel(state.features)}, layer ${state.layer}):`;
    vote.replaceChildren(
      ...near.facts.votes.slice(0, VOTES).map(([name, share]) => bar(name, share, gallery)),
    );
  }

  return {
    nodes: [el("div", { "aria-live": "polite" }, title, how), grid, voteTitle, vote],
    /** @param {Partial<State>} change */
    draw(change) {
      if (!("neighbours" in change || "named" in change)) return;
      const { shown, neighbours } = state;
      grid.toggleAttribute("aria-busy", !neighbours); // those of the picture before, until then
      if (shown && neighbours) fill(neighbours, shown);
    },
  };
}

/**
 * @param {string} name of a class
 * @param {number} share of the vote
 * @param {import("./data.js").Gallery} gallery
 */
const bar = (name, share, { facts }) =>
  el(
    "div",
    {},
    el("span", { class: "name", title: name }, swatch(facts.classes.indexOf(name)), name),
    el("i", { style: `--share:${share}` }),
    el("b", { text: percent(share) }),
  );
