/* What the attention screen shows, in one object that is changed in one place. */
import { kept } from "../../page/link.js";
import { selection } from "../../page/selection.js";
import { attend, firstPatch, meanOfHeads, tokenAt } from "./attend.js";

/** @typedef {import("../../types/page").View} View */
/** @typedef {import("../../types/scenes").attention.LayerScene} LayerScene */
/** @typedef {import("../../types/scenes").attention.HeadsScene} HeadsScene */
/** @typedef {import("../../types/scenes").attention.OverviewScene} OverviewScene */
/** @typedef {import("../../types/scenes").attention.RolloutScene} RolloutScene */

/**
 * @typedef {object} State
 * @property {View | null} view whose numbers these are: it changes together with them
 * @property {LayerScene | null} scene queries and keys of the layer that is shown
 * @property {HeadsScene | null} heads that layer's heads over all queries, once the layer rests
 * @property {OverviewScene | null} overview what the query attends to in all layers and heads
 * @property {RolloutScene | null} rollout
 * @property {[number, number] | null} hovered the patch under the pointer
 * @property {boolean} ends two ends: the source is the patch that is kept, the target is pointed at
 * @property {[number, number] | null} target
 * @property {boolean} held whether the target stays where it is
 * @property {OverviewScene | null} back what the held target attends to in all layers and heads
 * @property {Float32Array} backRows [A * N] of the target, in the layer
 * @property {number} strength of the overlay, 0 to 1
 * @property {boolean} rolled rollout instead of a row
 * @property {Float32Array} rows [A * N] of the query, in the layer
 * @property {Float32Array} mean [N] of the heads
 */

/**
 * @param {(state: State, change: Partial<State>) => void} render draws what a change concerns
 */
export function createState(render) {
  /** @type {State} */
  const state = {
    view: null,
    scene: null,
    heads: null,
    overview: null,
    rollout: null,
    hovered: null,
    ends: kept("ends") === "1",
    target: null,
    held: false,
    back: null,
    backRows: new Float32Array(0),
    strength: 0.75,
    rolled: false,
    rows: new Float32Array(0),
    mean: new Float32Array(0),
  };

  /** Changes the state; the rows follow it. @param {Partial<State>} change */
  function update(change) {
    Object.assign(state, change);
    const { scene } = state;
    if (scene) {
      state.rows = attend(scene, queryOf(state).token, state.rows);
      state.mean = meanOfHeads(state.rows, scene.shapes.keys[0], state.mean);
      if (state.ends && state.target)
        state.backRows = attend(scene, tokenAt(scene, ...state.target), state.backRows);
    }
    render(state, change);
  }
  return { state, update };
}

/**
 * The one query of the screen: the patch under the pointer, else the one that is kept, else the class
 * token. Everything that is shown is about this one.
 *
 * @param {State} state
 */
export function queryOf({ scene, hovered }) {
  const [row, col] = hovered ?? [selection.row, selection.col];
  return { row, col, token: scene ? tokenAt(scene, row, col) : 0, kept: hovered === null };
}

/** A query in words. @param {{ row: number | null, col: number | null }} query */
export const queryName = ({ row, col }) =>
  row === null ? "the class token" : `the patch in row ${row}, column ${col}`;

/**
 * The row that the large picture shows: [values, where its patches begin].
 *
 * @param {State & { scene: LayerScene }} state
 * @returns {[Float32Array, number]}
 */
export function shownRow({ scene, rows, mean }) {
  const first = firstPatch(scene),
    N = scene.shapes.keys[1];
  return selection.head === null ? [mean, first] : [rows, selection.head * N + first];
}
