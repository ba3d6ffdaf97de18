/* How alike the positions are: the cosine of one position's embedding with all others, on the grid the
   model learned them and as this picture is given them. */
import { select, selectedPatch } from "../../page/selection.js";
import { paintMap } from "../../ui/canvas.js";
import { toggle } from "../../ui/controls.js";
import { el, penOf, svg } from "../../ui/dom.js";
import { signed } from "../../ui/format.js";
import { rafThrottle } from "../../ui/frame.js";
import { keyHints, keysSentence } from "../../ui/key-hints.js";
import { legend } from "../../ui/legend.js";
import { MOVES, PatchPicture } from "../../ui/patch-picture.js";
import { createPositionRule } from "./position-rule.js";
import { patchOf } from "./similarity.js";

/** @typedef {import("./state.js").State} State */
/** @typedef {import("./state.js").Update} Update */
/** @typedef {import("./state.js").PositionsScene} PositionsScene */

/** @type {import("../../ui/key-hints.js").KeyHints} */
const KEYS = [
  ["arrows", "move the position"],
  ["Enter", "keeps the patch"],
  ["Esc", "the patch in the middle"],
];
const PNG_SIDE = 560; // px of a map, about
const GAP = 24;

/**
 * @param {State} state
 * @param {Update} update
 * @param {import("./index.js").Choosing} choosing
 */
export function createPositions(state, update, choosing) {
  const learned = createLearned(state, update);
  const given = createGiven(state, choosing);
  const dots = svg("path"),
    dotsPlace = svg("svg", { class: "inside-dots" }, dots);
  learned.overlay.after(dotsPlace);
  const showDots = toggle(
    "Where this picture looks",
    "A dot for every patch, at the place of the learned grid from which its position is interpolated",
    state.dots,
    (on) => update({ dots: on }),
  );
  const story = el("p", { class: "inside-details", "aria-live": "polite" }),
    rule = createPositionRule();
  const figure = (
    /** @type {PatchPicture} */ part,
    /** @type {string} */ title,
    /** @type {Node} */ size,
  ) => el("figure", {}, part.node, el("figcaption", {}, el("b", { text: title }), size));
  const node = el(
    "div",
    { class: "inside-part inside-positions" },
    el(
      "div",
      { class: "inside-pair" },
      figure(learned, "As learned", rule.sizes.learned),
      figure(given, "As this picture is given them", rule.sizes.given),
    ),
    el("div", { class: "inside-token-legend" }, legend("blue-red", "cosine −1", "1")),
    el("div", { class: "inside-controls" }, showDots.node),
    story,
    keyHints(KEYS),
    rule.node,
  );

  /** Another picture. @param {import("./state.js").Positions} held */
  function open({ view, scene }) {
    const { learned_grid: learnedGrid, grid, untouched } = scene.facts;
    for (const [part, [h, w]] of /** @type {const} */ ([
      [learned, learnedGrid],
      [given, grid],
    ])) {
      part.grid = [h, w];
      part.node.style.aspectRatio = `${w} / ${h}`;
      part.node.style.setProperty("--ratio", String(w / h));
    }
    dotsPlace.setAttribute("viewBox", `0 0 ${learnedGrid[1]} ${learnedGrid[0]}`);
    dots.setAttribute("d", untouched ? "" : dotsOf(scene));
    showDots.node.disabled = untouched;
    rule.draw(scene, view.patch_size);
  }

  return {
    node,

    /** @param {Partial<State>} change */
    draw(change) {
      const numbers = state.positionNumbers;
      if (!state.positions || !numbers) return;
      if (change.positions) open(state.positions);
      const { scene } = state.positions,
        colours = { low: -1, high: 1, colours: "blue-red" };
      paintMap(learned.overlay, numbers.learned, { grid: scene.facts.learned_grid, ...colours });
      paintMap(given.overlay, numbers.given, { grid: scene.facts.grid, ...colours });
      learned.mark(...numbers.cell, numbers.kept);
      given.mark(numbers.row, numbers.col, numbers.kept);
      dotsPlace.style.display = state.dots ? "" : "none";
      story.textContent = storyOf(scene, numbers);
    },

    /** Both maps side by side, sharp. */
    png() {
      const [r, c] = learned.grid,
        k = Math.max(1, Math.round(PNG_SIDE / Math.max(r, c))),
        [width, height] = [c * k, r * k],
        across = Math.round((height * given.grid[1]) / given.grid[0]);
      const canvas = el("canvas", { width: width + GAP + across, height }),
        context = penOf(canvas);
      context.imageSmoothingEnabled = false;
      context.drawImage(learned.overlay, 0, 0, width, height);
      context.drawImage(given.overlay, width + GAP, 0, across, height);
      return canvas;
    },
  };
}

/** @param {State} state @param {import("./index.js").Choosing} choosing */
function createGiven(state, choosing) {
  const given = new PatchPicture({
    from: selectedPatch,
    label: `Similarity of the positions this picture is given. ${keysSentence(KEYS)}.`,
    ...choosing,
    describe(row, col) {
      if (!state.positions) return null;
      const { facts, given_norms: norms } = state.positions.scene;
      return placeText([row, col], norms[row * facts.grid[1] + col]);
    },
  });
  given.picture.remove();
  return given;
}

/** The learned grid, with a pointer and arrows of its own. @param {State} state @param {Update} update */
function createLearned(state, update) {
  const learned = new PatchPicture({
    from: selectedPatch,
    label: "Similarity of the learned positions. Arrows move the position.",
    onhover: rafThrottle((row, col) => update({ cell: [row, col] })),
    onleave: rafThrottle(() => update({ cell: null })),
    onpin: (row, col) => {
      state.cell = null;
      if (!state.positions) return;
      const [patchRow, patchCol] = patchOf(state.positions.scene, [row, col]);
      select({ row: patchRow, col: patchCol });
    },
    describe(row, col) {
      if (!state.positions) return null;
      const { facts, learned_norms: norms } = state.positions.scene;
      return placeText([row, col], norms[row * facts.learned_grid[1] + col]);
    },
  });
  learned.picture.remove();
  learned.key = (event) => {
    const move = MOVES[event.key],
      cell = state.positionNumbers?.cell;
    if (!move || !cell) return;
    const [r, c] = learned.grid;
    update({
      cell: [
        Math.min(Math.max(cell[0] + move[0], 0), r - 1),
        Math.min(Math.max(cell[1] + move[1], 0), c - 1),
      ],
    });
    event.preventDefault();
  };
  learned.node.addEventListener("blur", () => state.cell && update({ cell: null }));
  return learned;
}

/** @param {readonly [number, number]} place @param {number} length */
const placeText = ([row, col], length) => `row ${row}, column ${col}\nlength ${length.toFixed(3)}`;

/**
 * A dot for each patch at the place it samples, in the learned grid's own units.
 *
 * @param {PositionsScene} scene
 */
const dotsOf = ({ rows, columns }) =>
  [...rows]
    .flatMap((y) => [...columns].map((x) => `M${(x + 0.5).toFixed(3)} ${(y + 0.5).toFixed(3)}h0`))
    .join("");

/**
 * @param {PositionsScene} scene
 * @param {ReturnType<typeof import("./numbers.js").positionNumbers>} numbers
 */
function storyOf(scene, { row, col, cell, along: [inRow, inColumn] }) {
  return (
    `Patch row ${row}, column ${col} takes its position from row ` +
    `${scene.rows[row].toFixed(2)}, column ${scene.columns[col].toFixed(2)} ` +
    `of the learned grid. The position learned nearest to it, row ${cell[0]}, column ` +
    `${cell[1]}, has a mean cosine of ${signed(inRow)} with its own row and ` +
    `${signed(inColumn)} with its own column. ` +
    "What the picture shows makes no difference."
  );
}
