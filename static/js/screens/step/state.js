/* What the screen of one step shows, in one object that is changed in one place. */
import { kept } from "../../page/link.js";
import { sumOf } from "./arithmetic.js";

/** @typedef {import("../../types/page").View} View */
/** @typedef {import("../../types/scenes").step.StepScene} StepScene */
/** @typedef {StepScene["facts"]["visits"][number]} Visit */

/**
 * What is drawn beside a line.
 *
 * @typedef {"batch" | "teacher_sees" | "teacher" | "targets" | "student_sees" | "student" | "dino" |
 *   "koleo" | "ibot" | "losses" | "gradients" | "clipping" | "student_moved" | "teacher_moved" |
 *   "after"} Drawing
 */

/** The pair that the screen begins with: a step of it takes a second. */
export const FIRST_PAIR = "cifar";
export const PAPER = /** @type {const} */ ({ dino: 1, ibot: 1, koleo: 0.1 }); // weights

/**
 * @typedef {object} Options what is asked for; null leaves what the pair was trained with
 * @property {string} pair
 * @property {string} targets
 * @property {number | null} temperature of the teacher
 * @property {number | null} rate of learning
 * @property {number} dino weight of the loss
 * @property {number} ibot
 * @property {number} koleo
 */

/**
 * @typedef {object} State
 * @property {View | null} view whose step it is: it changes together with the row
 * @property {Options} options what the row was asked for with
 * @property {readonly StepScene[]} row the steps that were made, the first ones first
 * @property {number} shown which of them is looked at
 * @property {number} at the visit of it that is looked at
 * @property {boolean} playing
 * @property {Making | null} making steps that are on their way
 * @property {readonly import("./loading.js").PairChoice[]} pairs that there are; none before the
 *   server has said
 * @property {string} other pair whose step is to stand beside; empty: none
 * @property {Beside | null} beside the step of the other pair
 */
/** @typedef {{ of: StepScene, pair: string, scene: StepScene }} Beside */
/**
 * @typedef {object} Making
 * @property {number} done
 * @property {number} wanted
 * @property {number} first
 * @property {boolean} fresh what is shown is of other choices
 */
/** @typedef {State & { view: View }} Loaded */
/** @typedef {(change: Partial<State>) => void} Update */

/** @param {(state: State, change: Partial<State>) => void} render draws what a change concerns */
export function createState(render) {
  /** @type {State} */
  const state = {
    view: null,
    options: {
      pair: kept("step-pair") ?? FIRST_PAIR,
      targets: kept("step-targets") === "sinkhorn_knopp" ? "sinkhorn_knopp" : "centering",
      temperature: numberFromLink("step-temperature", 0.001, 1),
      rate: numberFromLink("step-rate", 0, 1),
      dino: numberFromLink("step-dino", 0, 100) ?? PAPER.dino,
      ibot: numberFromLink("step-ibot", 0, 100) ?? PAPER.ibot,
      koleo: numberFromLink("step-koleo", 0, 100) ?? PAPER.koleo,
    },
    row: [],
    shown: 0,
    at: numberFromLink("step-line", 0, 10_000) ?? 0,
    playing: false,
    making: null,
    pairs: [],
    other: kept("step-other") ?? "",
    beside: null,
  };

  /** @type {Update} */
  function update(change) {
    Object.assign(state, change);
    const scene = state.row[state.shown];
    if (scene) state.at = Math.min(state.at, scene.facts.visits.length - 1);
    render(state, change);
  }
  return { state, update };
}

/** The step that is looked at; null while there is none. @param {State} state */
export const sceneOf = ({ row, shown }) => row[shown] ?? null;

/** What is drawn beside a visit. @param {Visit} visit */
export const drawingOf = ({ view }) => /** @type {Drawing} */ (view);

/** The visit that is looked at. @param {StepScene} scene @param {number} at */
export const visitAt = (scene, at) => scene.facts.visits[at];

/** What a step's own crops cost before and after it. @param {StepScene} scene */
export const lossesOf = ({ facts }) => ({
  before: sumOf(facts.before),
  after: sumOf(facts.after),
});

/** @param {string} name @param {number} low @param {number} high */
export function numberFromLink(name, low, high) {
  const text = kept(name),
    value = Number(text);
  return text !== null && text !== "" && value >= low && value <= high ? value : null;
}
