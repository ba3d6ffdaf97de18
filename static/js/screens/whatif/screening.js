/* Every head and block changed, one at a time, by the server behind the page; what each does to the
   picture becomes the colour of its cell in the grid. */
import { keep, kept } from "../../page/link.js";
import { button, choice, pick } from "../../ui/controls.js";
import { colourTable } from "../../ui/colours.js";
import { el } from "../../ui/dom.js";
import { short } from "../../ui/format.js";
import { legend } from "../../ui/legend.js";
import { KINDS } from "./edits.js";
import { effectsOf, levelOf, rangeOf } from "./numbers.js";
import { referenceOf, referenceWords } from "./references.js";
import { createScreeningCard, placeIn, points } from "./screening-card.js";
import { createScreeningChoice, overOf, overWords } from "./screening-choice.js";
import { screeningAddress } from "./screening-work.js";

/** @typedef {import("./state.js").State} State */
/** @typedef {import("./state.js").Colouring} Colouring */

/** @type {readonly (readonly [Colouring["of"], string])[]} */
const OF = [
  ["cls", "Class token"],
  ["patches", "Patches"],
  ["accuracy", "k-NN accuracy"],
];
/** @type {readonly (readonly [string, string])[]} */
const VALUES = [...KINDS, ["shock", "Zero minus mean: shock"]];

/** What the link asks for: "cls mean". @returns {Colouring | null} null: no screening */
export function linkedColouring() {
  const [of, value] = (kept("whatif.screening") ?? "").split(" "),
    known = OF.find(([name]) => name === of)?.[0];
  return known && VALUES.some(([name]) => name === value) ? { of: known, value } : null;
}

/**
 * @param {State} state
 * @param {(change: Partial<State>) => void} update
 * @param {{ grid: ReturnType<typeof import("./grid.js").createGrid>, start: () => unknown,
 *   stop: () => unknown }} work
 */
export function createScreening(state, update, work) {
  const begin = button("Screen them all", () => {
      paint({});
      work.start();
    }),
    stop = button("Stop", work.stop),
    over = createScreeningChoice(state, update),
    card = createScreeningCard(),
    bar = el("progress", { max: 1, value: 0, "aria-label": "Screening" }),
    words = el("p", { class: "inside-quiet", "aria-live": "polite" }),
    of = choice("Effect on", OF, state.colouring.of, (next) => paint({ of: next })),
    accuracy = of.node.querySelector("[data-value=accuracy]"),
    value = pick("of", VALUES, state.colouring.value, (next) => paint({ value: next })),
    hide = button("No colours", () => {
      keep("whatif.screening", null);
      update({ isColoured: false, effects: null, screening: null });
    }),
    legends = el("div", { class: "inside-screening-legends" }),
    files = el("div", { class: "inside-controls" });
  const shown = el(
    "div",
    { class: "inside-stack" },
    el("div", { class: "inside-controls" }, of.node, value.node, hide),
    legends,
    card.node,
    files,
  );
  let filed = "";

  /** @param {Partial<Colouring>} change */
  function paint(change) {
    const colouring = { ...state.colouring, ...change };
    keep("whatif.screening", `${colouring.of} ${colouring.value}`);
    update({ colouring, isColoured: true });
  }

  /** @param {import("./state.js").View} view @param {string} asked */
  function drawFiles(view, asked) {
    if (filed === asked) return;
    filed = asked;
    files.replaceChildren(
      .../** @type {const} */ (["heads", "blocks"]).map((parts) =>
        el("a", {
          class: "inside-button",
          download: `screening-${parts}.npz`,
          href: screeningAddress({ ...state, view }, parts, { form: "npz" }),
          text: `NPZ of ${parts}`,
        }),
      ),
    );
  }

  return {
    node: el(
      "div",
      { class: "inside-stack" },
      over.node,
      el("div", { class: "inside-controls" }, begin, bar, stop),
      words,
      shown,
    ),
    draw() {
      const { screening, effects, view } = state,
        isRunning = isAtWork(screening);
      over.draw();
      begin.hidden = isRunning || effects !== null;
      stop.hidden = bar.hidden = !isRunning;
      if (screening?.total) bar.value = screening.done / screening.total;
      setText(words, sentenceOf(state));
      shown.hidden = effects === null;
      const colours = shownColouring(state),
        cells = work.grid.cells();
      accuracy?.toggleAttribute("hidden", !hasAccuracy(effects));
      of.set(colours.of);
      value.set(colours.value);
      if (effects && view) drawFiles(view, effects.of);
      card.draw(effects, cells, state.pointed);
      colour(cells, { effects, colouring: colours }, legends);
    },
  };
}

/** @param {HTMLElement} node @param {string} text */
const setText = (node, text) => {
  if (node.textContent !== text) node.textContent = text;
};

/** @param {State["screening"]} screening */
const isAtWork = (screening) => screening?.state === "running" || screening?.state === "waiting";

/** Whether the pictures have labels. @param {State["effects"]} effects */
const hasAccuracy = (effects) => (effects?.heads.facts.accuracy ?? null) !== null;

/** What the colours say: of pictures without labels there is no accuracy. @param {State} state */
const shownColouring = ({ effects, colouring }) =>
  colouring.of === "accuracy" && !hasAccuracy(effects)
    ? { ...colouring, of: /** @type {const} */ ("cls") }
    : colouring;

/** @param {State} state */
function sentenceOf(state) {
  const { screening, effects } = state;
  if (effects) {
    const { pictures } = effects.heads.facts,
      where = `${pictures > 1 ? "on average over" : "in"} ${overWords(state, pictures)}`;
    return (
      `Each part changed alone, ${where}; means and noise are those of ` +
      `${referenceWords(state, referenceOf(state))}. Two that do little alone may do much together.`
    );
  }
  if (!screening || screening.state === "none")
    return (
      "Changes each part in turn, with all four values, and colours the grid by what follows." +
      (overOf(state).name ? " Several pictures take a while; what is done is kept." : "")
    );
  if (screening.state === "waiting") return "Waits until another screening is done.";
  if (screening.state === "running")
    return screening.done
      ? `${screening.done} of ${screening.total} changed forwards.`
      : "Looks at the reference pictures.";
  return screening.state === "failed" ? screening.words : "Stopped. What was done is kept.";
}

/** @type {WeakMap<HTMLElement, string>} */
const names = new WeakMap();

/**
 * The colour of each cell, and what it stands for. Heads and branches have a range each: attention as a
 * whole does far more than one of its heads.
 *
 * @param {readonly import("./grid.js").Cell[]} cells
 * @param {Pick<State, "effects" | "colouring">} state
 * @param {HTMLElement} legends
 */
function colour(cells, { effects, colouring }, legends) {
  const text = effects ? `${effects.of} ${colouring.of} ${colouring.value}` : "";
  if (names.get(legends) === text + cells.length) return;
  names.set(legends, text + cells.length);
  const isAccuracy = colouring.of === "accuracy",
    isSigned = colouring.value === "shock" || isAccuracy,
    colours = isSigned ? "blue-red" : "magma",
    table = colourTable(colours);
  const values = effects && {
    heads: effectsOf(effects.heads, colouring),
    blocks: effectsOf(effects.blocks, colouring),
  };
  const range = values && {
    heads: rangeOf(values.heads, isSigned),
    blocks: rangeOf(values.blocks, isSigned),
  };
  const say = (/** @type {number} */ number) =>
    isAccuracy ? `${points(number)} points` : short(number);
  for (const { block, unit, name, heads, button: cell } of cells) {
    if (!values || !range) {
      cell.style.removeProperty("--part");
      cell.title = name;
      continue;
    }
    const [parts, own] = placeIn({ unit, heads }),
      at = block * (parts === "heads" ? heads : 2) + own;
    const level = levelOf(values[parts][at], range[parts], isSigned);
    cell.style.setProperty("--part", `rgb(${table.slice(3 * level, 3 * level + 3).join(" ")})`);
    cell.title = `${name}: ${say(values[parts][at])}`;
  }
  const words = (/** @type {[number, number]} */ [low, high]) =>
    /** @type {const} */ ([say(low), say(high)]);
  legends.replaceChildren(
    ...(range
      ? [
          el("span", { text: "heads" }),
          legend(colours, ...words(range.heads)),
          el("span", { text: "attention, MLP" }),
          legend(colours, ...words(range.blocks)),
        ]
      : []),
  );
}
