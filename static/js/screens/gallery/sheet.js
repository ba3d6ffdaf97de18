/* Pictures in a grid below the map: what was selected, what is unusual, all but the same, or wrong. */
import { sentenceOf } from "../../page/errors.js";
import { choice, slider } from "../../ui/controls.js";
import { el } from "../../ui/dom.js";
import { percent } from "../../ui/format.js";
import { rafThrottle } from "../../ui/frame.js";
import { fillGrid } from "./atlas.js";

const PAGE = 48;
const KINDS = [
  ["selection", "Selection"],
  ["unusual", "Unusual"],
  ["doubles", "Near-duplicates"],
  ["mistakes", "Mistakes"],
];

/* desk: see gallery.js. onselect(indices) when a shown group becomes the selection. */
export function pictureSheet(desk, onselect) {
  let kind = "selection",
    entries = [],
    shown = PAGE,
    asked = 0,
    threshold = 0.95;
  const words = el("p", { class: "inside-note", "aria-live": "polite" }),
    tiles = el("div", { class: "inside-tiles", role: "group", "aria-label": "Pictures" });
  const more = el("button", {
    type: "button",
    class: "inside-button",
    text: "Show more",
    onclick: () => {
      shown += 2 * PAGE;
      draw();
    },
  });
  const mark = el("button", {
    type: "button",
    class: "inside-button",
    text: "Show on the map",
    title: "Makes these pictures the selection",
    onclick: () => onselect([...new Set(entries.map(({ index }) => index))], words.textContent),
  });
  const kinds = choice("Which pictures", KINDS, kind, (value) => {
    kind = value;
    shown = PAGE;
    load();
  });
  const limit = slider("At least", {
    min: 0.8,
    max: 1,
    step: 0.005,
    value: threshold,
    say: (value) => value.toFixed(3),
    oninput: rafThrottle((value) => {
      threshold = value;
      load();
    }),
  });
  const node = el(
    "section",
    { class: "inside-left inside-gallery-sheet", "aria-label": "Pictures of the gallery" },
    el("div", { class: "inside-controls" }, kinds.node, mark, limit.node),
    words,
    tiles,
    more,
  );

  function draw() {
    fillGrid(tiles, desk.atlas(), entries.slice(0, shown), desk.pick, desk.chosen());
    more.hidden = entries.length <= shown;
    mark.hidden = kind === "selection" || !entries.length;
    limit.node.hidden = kind !== "doubles";
    tiles.classList.toggle("pairs", kind === "doubles");
  }

  const named = (index, text, way) => ({
    index,
    title: desk.gallery().facts.names[index],
    words: text,
    kind: way,
  });
  const label = (group) => desk.gallery().facts.classes[group] ?? "";

  const LOAD = {
    selection() {
      const { indices, words: text } = desk.selection();
      words.textContent = indices.length
        ? `${text || `${indices.length} pictures selected`}. They are what CSV takes along.`
        : "Nothing is selected: draw a lasso on the map, search, or press a group of the legend.";
      entries = indices.map((i) => named(i, label(desk.gallery().labels[i])));
    },
    async unusual(still) {
      const found = await desk
        .data()
        .settle("outliers", { features: desk.features(), layer: desk.layer() }, still, tell);
      if (!found) return;
      words.textContent = `Far from every other picture: the mean of 1 − cosine similarity over the ${found.facts.k} nearest ones, the largest first.`;
      entries = [...found.order].slice(0, 200).map((i) => named(i, found.scores[i].toFixed(3)));
    },
    async doubles(still) {
      const found = await desk.data().settle("duplicates", { threshold }, still, tell);
      if (!found) return;
      const { pairs, similarities, same } = found,
        same_ = same.reduce((sum, one) => sum + one, 0);
      words.textContent = similarities.length
        ? `${similarities.length} pairs with a cosine similarity of at least ${threshold.toFixed(3)}${same_ ? `, ${same_} of them the same to the last pixel` : ""}. ${found.facts.words}`
        : `No two pictures have a cosine similarity of ${threshold.toFixed(3)} or more.`;
      entries = [...similarities].flatMap((value, n) => [
        named(pairs[2 * n], same[n] ? "the same" : value.toFixed(3), "first"),
        named(pairs[2 * n + 1], same[n] ? "the same" : value.toFixed(3), "second"),
      ]);
    },
    async mistakes(still) {
      if (!desk.gallery().facts.classes.length) {
        words.textContent = "Mistakes need labels: a folder for each class in the zip.";
        entries = [];
        return;
      }
      const found = await desk.data().settle("predictions", desk.probeQuery(), still, tell);
      if (!found) return;
      const judged = found.labels.reduce((sum, one) => sum + (one >= 0), 0),
        { labels } = desk.gallery();
      words.textContent = `${desk.probeName()}: ${found.mistakes.length} of ${judged} pictures wrong (${percent(found.mistakes.length / Math.max(judged, 1))}), the surest first. ${found.facts.words}`;
      entries = [...found.mistakes].map((i) =>
        named(
          i,
          `${label(labels[i])}\n→ ${label(found.labels[i])}\n${percent(found.confidence[i], 0)}`,
          "wrong",
        ),
      );
    },
  };
  const tell = (text) => {
    words.textContent = text;
  };

  async function load() {
    const mine = ++asked;
    kinds.set(kind);
    try {
      if (kind !== "selection") {
        entries = [];
        words.textContent = "Looking …";
      }
      await LOAD[kind](() => mine === asked);
    } catch (error) {
      entries = [];
      words.textContent = sentenceOf(error);
    }
    if (mine === asked) draw();
  }

  return {
    node,
    load,
    turn(next) {
      kind = next;
      shown = PAGE;
      return load();
    },
    /* The same kind again, when what it depends on has changed. */
    again(...kinds_) {
      if (kinds_.includes(kind)) load();
    },
    choose(index) {
      tiles
        .querySelectorAll("button")
        .forEach((one) =>
          one.setAttribute("aria-pressed", String(Number(one.dataset.index) === index)),
        );
    },
    get state() {
      return { kind, words: words.textContent, indices: entries.map(({ index }) => index) };
    },
  };
}
