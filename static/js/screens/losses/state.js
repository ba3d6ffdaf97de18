/* What the screen of heads and losses shows, in one object that is changed in one place. */
import { kept } from "../../page/link.js";
import { GLOBALS, isCounted } from "./arithmetic.js";

/** @typedef {import("../../types/page").View} View */
/** @typedef {import("../../types/scenes").losses.LossesScene} LossesScene */
/** @typedef {import("./arithmetic.js").CropPair} CropPair */
/** @typedef {import("./arithmetic.js").Patch} Patch */

/** The heads that the page begins with. */
export const FIRST_PAIR = "preview";

/**
 * @typedef {object} Options what is asked for; null leaves what the heads were trained with
 * @property {string} pair name of the heads
 * @property {string | null} targets
 * @property {number | null} temperature of the teacher
 * @property {number | null} studentTemperature
 */

/**
 * @typedef {object} State
 * @property {View | null} view whose numbers these are: it changes together with them
 * @property {LossesScene | null} scene
 * @property {Options} options what the scene was asked for with
 * @property {string} sheet address of the other pictures' crops
 * @property {CropPair | null} pinned
 * @property {CropPair | null} hovered
 * @property {Patch | null} patch that is kept, of global crop 0
 * @property {Patch | null} under the pointer
 * @property {boolean} waiting for another view or other options; what is shown is of those before
 */
/** @typedef {State & { view: View, scene: LossesScene, pinned: CropPair }} Loaded */

/** @param {(state: State, change: Partial<State>) => void} render draws what a change concerns */
export function createState(render) {
  /** @type {State} */
  const state = {
    view: null,
    scene: null,
    options: {
      pair: kept("pair") ?? FIRST_PAIR,
      targets: kept("targets"),
      temperature: numberFromLink("hot", 0.01, 0.1),
      studentTemperature: numberFromLink("soft", 0.05, 0.3),
    },
    sheet: "",
    pinned: pairFromLink("between"),
    hovered: null,
    patch: pairFromLink("patch"),
    under: null,
    waiting: false,
  };

  /** @param {Partial<State>} change */
  function update(change) {
    Object.assign(state, change);
    if (state.scene) fit(state, state.scene);
    render(state, change);
  }
  return { state, update };
}

/**
 * Keeps what is chosen within the crops and the grid that there are.
 *
 * @param {State} state
 * @param {LossesScene} scene
 */
function fit(state, scene) {
  const { crops, grid } = scene.facts,
    { pinned, patch } = state;
  if (!pinned || pinned[0] >= crops.length || pinned[1] >= GLOBALS || !isCounted(pinned))
    state.pinned = [GLOBALS < crops.length ? GLOBALS : 1, 0];
  if (patch && (patch[0] >= grid[0] || patch[1] >= grid[1])) state.patch = null;
}

/** The pair of crops that the words and bars are about. @param {Loaded} state */
export const shownPair = ({ hovered, pinned }) => hovered ?? pinned;

/** @param {string} name @param {number} low @param {number} high */
function numberFromLink(name, low, high) {
  const text = kept(name),
    value = Number(text);
  return text !== null && value >= low && value <= high ? value : null;
}

/** @param {string} name @returns {[number, number] | null} */
function pairFromLink(name) {
  const found = /^(\d+)[.](\d+)$/.exec(kept(name) ?? "");
  return found ? [Number(found[1]), Number(found[2])] : null;
}
