/* What can be set about two pictures, and what is asked for in words. */
import { keep } from "../../../page/link.js";
import { button, choice, slider, toggle } from "../../../ui/controls.js";
import { el } from "../../../ui/dom.js";
import { percent, place } from "../../../ui/format.js";
import { keyHints } from "../../../ui/key-hints.js";
import { KEYS } from "../panels.js";

/** @typedef {import("./state.js").Pair} Pair */
/** @typedef {import("./state.js").LoadedPair} LoadedPair */

const MOST_LINES = 80;

/**
 * @param {import("../state.js").Screen} screen
 * @param {(next: Partial<Pair>) => void} change
 * @param {HTMLElement} chooser of the second picture
 */
export function createControls({ state, reload }, change, chooser) {
  const shows = choice(
    "Shown",
    /** @type {const} */ ([
      ["similarity", "Similarity"],
      ["colours", "Colours together"],
      ["picture", "Pictures"],
    ]),
    state.pair.shows,
    (value) => change({ shows: value }),
  );
  const lines = slider("Lines", {
    max: MOST_LINES,
    value: state.pair.lines,
    oninput: (value) => {
      keep("features.lines", value);
      change({ lines: value });
    },
  });
  const another = button("Another second picture", () => {
    change({ choosing: true });
    chooser.querySelector("button")?.focus();
  });
  const object = toggle(
    "Lines on the object only",
    "From foreground to foreground of the PCA over both pictures",
    state.pair.objectOnly,
    (objectOnly) => {
      change({ objectOnly });
      reload();
    },
  );
  const marks = toggle(
    "Mark all mutual matches",
    "A dot on every patch that has a mutual nearest neighbour",
    state.pair.marks,
    (on) => change({ marks: on }),
  );
  const overlay = slider("Overlay", {
    max: 1,
    step: 0.05,
    value: state.pair.strength,
    format: (value) => `${Math.round(100 * value)} %`,
    oninput: (strength) => change({ strength }),
  });
  const story = el("p", { class: "inside-details", "aria-live": "polite" }),
    tally = el("p", { class: "inside-details inside-tally" });
  const row = (/** @type {HTMLElement[]} */ ...nodes) =>
    el("div", { class: "inside-controls" }, ...nodes);
  const node = el(
    "div",
    { class: "inside-left" },
    keyHints(KEYS),
    row(shows.node, lines.node, another),
    story,
    tally,
    el(
      "details",
      { class: "inside-more" },
      el("summary", { text: "More" }),
      row(object.node, marks.node, overlay.node),
    ),
  );
  return {
    node,
    /** @param {Pair} pair */
    arrange({ choosing, second }) {
      another.hidden = choosing;
      node.classList.toggle("asleep", !second);
    },
    /** @param {LoadedPair} loaded @param {import("./state.js").Asked} asked */
    draw(loaded, asked) {
      const { scene } = loaded,
        drawn = Math.min(state.pair.lines, scene.lines.length);
      lines.limit(Math.max(Math.min(scene.lines.length, MOST_LINES), 1));
      lines.set(drawn);
      story.textContent = describeMatch(loaded, asked);
      tally.textContent = describeLines(loaded, drawn);
    },
  };
}

/** @param {LoadedPair} loaded @param {import("./state.js").Asked} asked */
function describeMatch({ scene }, { isFirst, from, to, back, isMutual, cosine }) {
  const { grid, second_grid: other } = scene.facts;
  const [here, far] = isFirst ? [grid, other] : [other, grid];
  return (
    `${isFirst ? "Patch" : "Patch of the second picture,"} ${place(from, here)}: ` +
    `its best match in the ${isFirst ? "second" : "first"} picture is ${place(to, far)}, ` +
    `cosine ${cosine.toFixed(3)}. ` +
    (isMutual
      ? "They are mutual nearest neighbours."
      : `Not mutual, so the line is dashed: the best match of that patch is ${place(back, here)}.`)
  );
}

/** @param {LoadedPair} loaded @param {number} drawn */
function describeLines({ scene, objectOnly }, drawn) {
  const { count, radius, grid, second_grid: other } = scene.facts,
    most = Math.min(grid[0] * grid[1], other[0] * other[1]);
  return (
    `${count} pairs are mutual nearest neighbours, of ${most} possible (${percent(count / most)}). ` +
    `${drawn} of ${scene.lines.length} lines are drawn: the most similar mutual pairs, each the best ` +
    `within ${radius} ${radius === 1 ? "patch" : "patches"} of its start` +
    (objectOnly ? ", on the object." : ".")
  );
}
