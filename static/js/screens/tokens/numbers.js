/* The numbers of the patch that the screen is about, part by part; everything that is drawn, said or
   taken away reads these. */
import { NotShownYet } from "../../page/errors.js";
import { selection } from "../../page/selection.js";
import { embed, respond } from "./embed.js";
import {
  firstPatch,
  longestAt,
  meanUpdates,
  normOf,
  outliersAt,
  patchNorms,
  stepCount,
} from "./lengths.js";
import { cellOf, cosines, meansAlong, patchOf } from "./similarity.js";

/** @typedef {import("./state.js").State} State */

/**
 * The patch that everything is about: under the pointer, else kept, else in the middle.
 *
 * @param {Pick<State, "hovered">} state
 * @param {readonly [number, number]} grid of the numbers that are shown
 * @returns {[number, number]}
 */
export function placeOf({ hovered }, [h, w]) {
  const [row, col] = hovered ?? [selection.row, selection.col];
  const inside = row !== null && col !== null && row < h && col < w;
  return inside ? [row, col] : [Math.floor(h / 2), Math.floor(w / 2)];
}

/**
 * Step of the walk: 0 enters the first block, l + 1 leaves block l.
 *
 * @param {Pick<State, "before">} state
 * @param {number} steps
 */
export const stepOf = ({ before }, steps) =>
  before ? 0 : Math.min((selection.layer ?? 0) + 1, steps - 1);

/**
 * @template T
 * @param {T | null} value
 * @returns {T}
 */
function there(value) {
  if (value === null) throw new NotShownYet();
  return value;
}

/** @param {State} state */
export function patchNumbers(state) {
  const { scene, pixels } = there(state.patches),
    [row, col] = placeOf(state, scene.facts.grid),
    patch = row * scene.facts.grid[1] + col,
    filter = state.pointed ?? state.filter;
  const known = filter && filter.index < scene.shapes[filter.kind][0] ? filter : null;
  return {
    row,
    col,
    patch,
    kept: state.hovered === null,
    embedding: embed(scene, pixels, patch),
    filter: known,
    response: known && respond(scene, pixels, known),
  };
}

/** @param {State} state */
export function positionNumbers(state) {
  const { scene } = there(state.positions),
    { grid, learned_grid: learnedGrid } = scene.facts,
    D = scene.shapes.learned[1];
  const [row, col] = state.cell ? patchOf(scene, state.cell) : placeOf(state, grid),
    cell = state.cell ?? cellOf(scene, [row, col]);
  const learned = cosines(scene.learned, cell[0] * learnedGrid[1] + cell[1], D);
  return {
    row,
    col,
    cell,
    kept: state.hovered === null && state.cell === null,
    learned,
    given: cosines(scene.given, row * grid[1] + col, D),
    along: meansAlong(learned, learnedGrid, cell),
  };
}

/** @param {State} state */
export function blockNumbers(state) {
  const { scene } = there(state.blocks),
    [row, col] = placeOf(state, scene.facts.grid),
    patch = row * scene.facts.grid[1] + col,
    step = stepOf(state, stepCount(scene));
  return {
    row,
    col,
    patch,
    step,
    kept: state.hovered === null,
    norm: normOf(scene, step, firstPatch(scene) + patch),
    norms: patchNorms(scene, step),
    median: scene.median[step],
    threshold: scene.threshold[step],
    longest: longestAt(scene, step),
    outliers: outliersAt(scene, step),
    updates: meanUpdates(scene, step),
  };
}
