/* What the crops screen shows, in one object that is changed in one place. */
import { keep, kept } from "../../page/link.js";
import { linkedOptions, OPTION_NAMES } from "./options.js";

/** @typedef {import("../../types/page").View} View */
/** @typedef {import("../../types/scenes").crops.CropsScene} CropsScene */
/** @typedef {import("../../types/scenes").crops.CropDrawsScene} CropDrawsScene */
/** @typedef {import("../../types/plotly").Chart} Chart */
/** @typedef {CropsScene["facts"]["crops"][number]} Crop */
/** @typedef {import("./options.js").Options} Options */
/** @typedef {"as run" | "as written"} Blur */
/** @typedef {Record<string, string | number>} Query what a scene was asked with */

/**
 * @typedef {object} State
 * @property {View | null} view the page's picture and seed: what is to be shown
 * @property {Blur} blur
 * @property {Options} options what is asked that is not the official choice
 * @property {View | null} shown whose scene this is; lags behind while another is on its way
 * @property {Query} query of the scene
 * @property {CropsScene | null} scene
 * @property {CropDrawsScene | null} draws many draws like the scene's; null until "more" is open
 * @property {{ area: Chart, aspect: Chart } | null} charts of them
 * @property {number | null} hovered a crop
 * @property {number | null} pinned a crop
 * @property {readonly [number, number] | null} pair two crops whose overlap is pointed at
 * @property {string} complaint why the link's numbers are not shown; mostly empty
 */

/** @typedef {State & { shown: View, scene: CropsScene }} Loaded */
/** @typedef {(change: Partial<State>) => void} Update */

/**
 * @param {(state: State, change: Partial<State>) => void} render draws what a change concerns
 * @returns {{ state: State, update: Update }}
 */
export function createState(render) {
  const pinned = kept("crop") ?? "";
  /** @type {State} */
  const state = {
    view: null,
    blur: kept("blur") === "as written" ? "as written" : "as run",
    options: linkedOptions(kept),
    shown: null,
    query: {},
    scene: null,
    draws: null,
    charts: null,
    hovered: null,
    pinned: /^\d+$/.test(pinned) ? Number(pinned) : null,
    pair: null,
    complaint: "",
  };

  /** @type {Update} */
  function update(change) {
    Object.assign(state, change);
    if ("blur" in change) keep("blur", state.blur === "as run" ? null : state.blur);
    if ("pinned" in change) keep("crop", state.pinned);
    if ("options" in change) for (const name of OPTION_NAMES) keep(name, state.options[name]);
    render(state, change);
  }
  return { state, update };
}

/** @param {State} state @returns {state is Loaded} */
export const isLoaded = (state) => state.scene !== null && state.shown !== null;

/** What the page's picture, seed and choices ask for. @param {State} state @returns {Query} */
export const queryOf = ({ view, blur, options }) => ({ seed: view?.seed ?? 0, blur, ...options });

/** Whether two queries ask for the same. @param {Query} a @param {Query} b */
export const sameQuery = (a, b) => JSON.stringify(a) === JSON.stringify(b);

/** Whether what is shown is of an older picture, seed or choice. @param {State} state */
export const isWaiting = (state) =>
  state.view?.key !== state.shown?.key || !sameQuery(queryOf(state), state.query);

/**
 * The crops that stand out: a pair, or the one under the pointer, or the one that is kept.
 *
 * @param {State} state
 * @returns {readonly number[]}
 */
export function highlighted({ pair, hovered, pinned }) {
  const one = hovered ?? pinned;
  return pair ?? (one === null ? [] : [one]);
}

/** The colour of a crop, everywhere the same. @param {CropsScene} scene @param {number} i */
export const colourOf = (scene, i) => `rgb(${scene.facts.colours[i]})`;

/** Patches of a crop, down and across. @param {CropsScene} scene @param {Crop} crop */
export const patchesOf = (scene, crop) => crop.size / scene.facts.patch_size;
