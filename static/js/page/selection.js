/* The page's one selection: a patch (row null: the class token), a layer, a head (null: their mean)
   and a run. All screens show the same one. */
import { bus } from "./bus.js";

/**
 * @typedef {object} Selection
 * @property {number | null} row of the patch, in patches from the top; null: the class token
 * @property {number | null} col null exactly when row is
 * @property {number | null} layer from 0; null until the first picture is there
 * @property {number | null} head from 0; null: the mean of the heads
 * @property {string | null} run the run that is open on the page: Training sets it, others follow
 */

/** @type {Readonly<Selection>} */
export const selection = { row: null, col: null, layer: null, head: null, run: null };

/**
 * What the link selects, until its picture has come. `picture`: the key of the one that it means.
 *
 * @type {{ picture?: string, selects: Partial<Selection> } | null}
 */
let linked = null;

/** @param {Partial<Selection>} change */
const assign = (change) => void Object.assign(selection, change);

/**
 * Chooses something, and tells all screens.
 *
 * @param {Partial<Selection>} change
 */
export function select(change) {
  if (Object.keys(change).some((name) => name !== "run")) linked = null;
  assign(change);
  bus.emit("selection", { selection, change });
}

/** The patch that is kept: [row, col], both null for the class token. */
export const selectedPatch = () =>
  /** @type {[number | null, number | null]} */ ([selection.row, selection.col]);

/**
 * Takes over what the link of the page selects, silently. What does not fit the sample that greets
 * may fit the picture that the link asks for, which comes a little later: `fitSelection` tries again
 * until `forgetLink`.
 *
 * @param {import("./link.js").LinkState} link
 */
export function selectFromLink({ picture, layer, head, row, col }) {
  const natural = (/** @type {number | undefined} */ value) =>
    value !== undefined && Number.isInteger(value) && value >= 0 ? value : null;
  const asked = {
    layer: natural(layer),
    head: natural(head),
    row: natural(row),
    col: natural(col),
  };
  if (asked.row === null || asked.col === null) asked.row = asked.col = null;
  linked = picture ? { picture, selects: asked } : { selects: asked };
  assign(picture ? { layer: asked.layer, head: asked.head } : asked);
}

/** The picture of the link is there, or will not come. */
export function forgetLink() {
  linked = null;
}

/**
 * A picture has come: where the link means this one, what it selects holds from now on, also for
 * screens that are made when the link is forgotten.
 *
 * @param {string} key of the picture
 */
export function takeLinked(key) {
  if (linked?.picture === key) assign(linked.selects);
}

/**
 * Brings the selection into the range of a picture and model, silently: a screen does this before it
 * shows a view.
 *
 * @param {{ key?: string, grid: readonly [number, number], layers: number, heads: number }} view
 */
export function fitSelection({ key, grid: [h, w], layers, heads }) {
  // A patch of somebody's own picture means nothing on another one.
  if (linked && (!linked.picture || linked.picture === key)) assign(linked.selects);
  const { row, col, layer, head } = selection;
  if (layer === null || layer >= layers) assign({ layer: layers - 1 });
  if (row !== null && (row >= h || (col ?? 0) >= w)) assign({ row: null, col: null });
  if (head !== null && head >= heads) assign({ head: null });
}
