/* What the masks screen shows, in one object that is changed in one place. */
import { keep, kept } from "../../page/link.js";

/** @typedef {import("../../types/page").View} View */
/** @typedef {import("../../types/scenes").masks.MasksScene} MasksScene */
/** @typedef {import("../../types/plotly").Chart} Chart */

/**
 * @typedef {object} State
 * @property {View | null} view the page's picture and seed: what is to be shown
 * @property {number} ratio the masked share that is asked for, 0 to 0.5
 * @property {View | null} shown whose scene this is; lags behind `view` while another is on its way
 * @property {MasksScene | null} scene
 * @property {{ counts: Chart, blocks: Chart } | null} charts of many draws, of the scene
 * @property {number | null} member a crop of the batch; null: the mask that was drawn for the ratio
 * @property {number | null} step blocks on the picture; null: all
 * @property {boolean} playing
 */

/** @typedef {State & { shown: View, scene: MasksScene }} Loaded */
/** @typedef {(change: Partial<State>) => void} Update */

/**
 * @typedef {object} Mask one mask: what was decided, and plain random masking of as many patches
 * @property {number} target patches
 * @property {number} achieved
 * @property {number} rejected tries that were not kept
 * @property {readonly (readonly number[])[]} blocks top, left, height, width, new patches each
 * @property {readonly [number, number]} neighbours visible ones of a hidden patch, block and random
 * @property {Uint8Array} random [P]
 */

const FIRST_RATIO = 0.3;
export const MOST_RATIO = 0.5;
const MOST_MEMBERS = 16;
const MOST_BLOCKS = 256;

/**
 * A number of the link, within its range.
 *
 * @param {string} name
 * @param {number} high
 */
function linked(name, high) {
  const text = kept(name),
    value = Number(text);
  return text !== null && value >= 0 && value <= high ? value : null;
}

/**
 * @param {(state: State, change: Partial<State>) => void} render draws what a change concerns
 * @returns {{ state: State, update: Update }}
 */
export function createState(render) {
  /** @type {State} */
  const state = {
    view: null,
    ratio: linked("ratio", MOST_RATIO) ?? FIRST_RATIO,
    shown: null,
    scene: null,
    charts: null,
    member: linked("masked", MOST_MEMBERS - 1),
    step: linked("blocks", MOST_BLOCKS),
    playing: false,
  };

  /** @type {Update} */
  function update(change) {
    Object.assign(state, change);
    if ("ratio" in change) keep("ratio", state.ratio === FIRST_RATIO ? null : state.ratio);
    if ("member" in change) keep("masked", state.member);
    if ("step" in change) keep("blocks", state.step);
    render(state, change);
  }
  return { state, update };
}

/** @param {State} state @returns {state is Loaded} */
export const isLoaded = (state) => state.scene !== null && state.shown !== null;

/** Whether what is shown is of an older picture, seed or share. @param {State} state */
export const isWaiting = ({ view, shown, scene, ratio }) =>
  view?.key !== shown?.key || view?.seed !== shown?.seed || scene?.facts.ratio !== ratio;

/** The mask that is shown. @param {Loaded} state @returns {Mask} */
export function currentMask({ scene, member }) {
  const { facts } = scene,
    P = patchCount(scene);
  if (member === null) return { ...facts, random: scene.random_mask };
  const random = scene.batch_random.subarray(member * P, (member + 1) * P);
  return { ...facts.batch_masks[member], random };
}

/** @param {MasksScene} scene */
export const patchCount = ({ facts }) => facts.grid[0] * facts.grid[1];

/** How many blocks are on the picture. @param {Loaded} state */
export function stepNow(state) {
  const last = currentMask(state).blocks.length;
  return Math.min(state.step ?? last, last);
}

/**
 * Puts so many blocks on the picture.
 *
 * @param {Loaded} state
 * @param {number} count
 * @returns {Partial<State>}
 */
export function toStep(state, count) {
  const last = currentMask(state).blocks.length,
    step = Math.min(Math.max(count, 0), last);
  return { step: step === last ? null : step };
}
