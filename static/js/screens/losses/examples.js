/* Where a prototype fires in other pictures: places on the sheet of their crops. */
import { windowStart } from "./arithmetic.js";

/** @typedef {import("./state.js").Loaded} Loaded */

const SIDE = 38; // px, as in losses.css

/**
 * The other picture's crop to which the teacher gives a prototype most.
 *
 * @param {HTMLElement} node
 * @param {Loaded} state
 * @param {{ place: number, example: number }} which place of the prototype among those that are named
 */
export function paintCropExample(node, state, { place, example }) {
  const { scene } = state,
    at = (place * scene.shapes.examples[1] + example) * 2,
    [column, crop] = scene.examples.subarray(at, at + 2);
  paintSquare(node, state, { column, crop, x: 0, y: 0, extent: scene.facts.crops[0].size });
  node.title = `${titleOf(scene, column)}, global ${crop}`;
}

/**
 * The same for patches: the patch and what is around it.
 *
 * @param {HTMLElement} node
 * @param {Loaded} state
 * @param {{ place: number, example: number }} which
 */
export function paintPatchExample(node, state, { place, example }) {
  const { scene } = state,
    at = (place * scene.shapes.patch_examples[1] + example) * 2,
    [column, where] = scene.patch_examples.subarray(at, at + 2);
  const [h, w] = scene.facts.grid,
    { size } = scene.facts.crops[0],
    side = size / h,
    crop = Math.floor(where / (h * w)),
    row = Math.floor((where % (h * w)) / w),
    col = where % w;
  paintSquare(node, state, {
    column,
    crop,
    x: windowStart(col, w) * side,
    y: windowStart(row, h) * side,
    extent: Math.min(3 * side, size),
  });
  node.title = `${titleOf(scene, column)}, global ${crop}, row ${row}, column ${col}, and what is around it`;
}

/** @param {import("./state.js").LossesScene} scene @param {number} column of the sheet */
const titleOf = (scene, column) =>
  scene.facts.references.find((one) => one.column === column)?.title ?? "a sample";

/**
 * A square of `extent` px of another picture's crop fills the node.
 *
 * @param {HTMLElement} node
 * @param {Loaded} state
 * @param {{ column: number, crop: number, x: number, y: number, extent: number }} square
 */
function paintSquare(node, { scene, sheet }, { column, crop, x, y, extent }) {
  const { size } = scene.facts.crops[0],
    zoom = SIDE / extent;
  node.style.backgroundImage = `url("${sheet}")`;
  node.style.backgroundSize = `${scene.facts.columns_of_sheet * size * zoom}px ${2 * size * zoom}px`;
  node.style.backgroundPosition = `${-(column * size + x) * zoom}px ${-(crop * size + y) * zoom}px`;
}
