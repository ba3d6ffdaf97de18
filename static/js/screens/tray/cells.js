/* One picture of one column: its colours, and its numbers under the pointer. */
import { paintMap, paintRgb } from "../../ui/canvas.js";
import { short, signed } from "../../ui/format.js";

/** @typedef {import("./state.js").TrayScene} TrayScene */
/** @typedef {import("../../ui/patch-picture.js").PatchPicture} PatchPicture */

/**
 * Where the map of a cell lies in its scene.
 *
 * @param {TrayScene} scene
 * @param {number} column
 * @param {number} row
 */
export function mapOf({ facts }, column, row) {
  const [kind, start] = facts.places[column],
    shapes = facts.shapes_of[column];
  if (kind === 0) return { kind, at: 0, grid: gridOf(facts.grids[row]) };
  const before = shapes.slice(0, row).reduce((sum, [h, w]) => sum + h * w, 0);
  return { kind, at: start + before, grid: gridOf(shapes[row]) };
}

/** @param {number[]} shape @returns {[number, number]} */
const gridOf = ([h, w]) => [h, w];

/**
 * Draws a cell over its picture.
 *
 * @param {PatchPicture} picture
 * @param {TrayScene} scene
 * @param {number} column
 * @param {number} row
 */
export function paintCell({ overlay }, scene, column, row) {
  const { kind, at, grid } = mapOf(scene, column, row),
    [h, w] = grid,
    { view, limits } = scene.facts.columns[column];
  if (kind === 0) {
    overlay.width = w; // nothing over it
    overlay.height = h;
  } else if (kind === 1) paintRgb(overlay, scene.colours.subarray(3 * at), h, w);
  else if (view === "clusters") {
    const labels = scene.values.subarray(at, at + h * w);
    paintRgb(
      overlay,
      Array.from(labels).flatMap((one) => scene.facts.cluster_colours[one]),
      h,
      w,
    );
  } else {
    const [low, high] = limits ?? [0, 1];
    const colours = view === "similar" ? "blue-red" : "magma";
    paintMap(overlay, scene.values, { grid, offset: at, low, high, colours });
  }
}

/**
 * What a cell says of a patch; empty where it says nothing but its colour.
 *
 * @param {TrayScene} scene
 * @param {number} column
 * @param {number} row
 * @param {readonly [number, number]} patch in the cell's own grid
 */
export function valueIn(scene, column, row, [r, c]) {
  const { kind, at, grid } = mapOf(scene, column, row),
    { view } = scene.facts.columns[column],
    index = at + r * grid[1] + c;
  if (kind === 0) return "";
  if (kind === 1) {
    const [red, green, blue] = scene.colours.subarray(3 * index, 3 * index + 3);
    return red + green + blue ? `RGB ${red}, ${green}, ${blue}` : "background";
  }
  const value = scene.values[index];
  if (view === "clusters") return `cluster ${value}`;
  return view === "similar" ? signed(value) : short(value);
}

/**
 * The patch of another grid that holds the middle of this one.
 *
 * @param {readonly [number, number]} patch
 * @param {readonly number[]} from
 * @param {readonly number[]} to
 * @returns {[number, number]}
 */
export const placeIn = ([r, c], [h, w], [tall, wide]) => [
  Math.floor(((r + 0.5) * tall) / h),
  Math.floor(((c + 0.5) * wide) / w),
];
