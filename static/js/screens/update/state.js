/* What the update screen shows, in one object that is changed in one place. */

/** @typedef {import("../../types/scenes").update.ScheduleScene} ScheduleScene */
/** @typedef {import("./teacher.js").Distance} Distance */

/**
 * @typedef {object} State
 * @property {string} source whose schedules are shown: a preset, or OPEN_RUN
 * @property {string | null} run that has them, where it is not a preset
 * @property {boolean} offered whether a run is open that has schedules of its own
 * @property {ScheduleScene | null} scene the schedules that are shown
 * @property {import("../../types/plotly").Charts} charts of the same ones
 * @property {number} at index of the step where the cursor stands
 * @property {Distance | null} distance of the teacher from the student, in the open run
 * @property {string} distanceNote where it comes from, or why there is none
 */

/** @typedef {State & { scene: ScheduleScene }} Loaded */

/** Stands for the run that is open on the page, among the names of presets. */
export const OPEN_RUN = "run";

/** @param {(state: State, change: Partial<State>) => void} render draws what a change concerns */
export function createState(render) {
  /** @type {State} */
  const state = {
    source: "",
    run: null,
    offered: false,
    scene: null,
    charts: {},
    at: 0,
    distance: null,
    distanceNote: "",
  };

  /** @param {Partial<State>} change */
  function update(change) {
    Object.assign(state, change);
    render(state, change);
  }
  return { state, update };
}

/**
 * The index of the step nearest to a place between them.
 *
 * @param {ArrayLike<number>} steps ascending
 * @param {number} place
 */
export function nearestStep(steps, place) {
  let low = 0,
    high = steps.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (steps[middle] < place) low = middle;
    else high = middle;
  }
  return Math.abs(steps[high] - place) < Math.abs(steps[low] - place) ? high : low;
}

/** Where schedules are asked for. @param {{ run?: string | null, preset?: string }} of */
export const addressOf = ({ run, preset }) =>
  run ? `runs/${run}/schedules` : `schedules/${preset}`;

/** The same of those that are shown. @param {Loaded} loaded */
export const shownAddress = ({ run, scene }) => addressOf({ run, preset: scene.facts.preset });
