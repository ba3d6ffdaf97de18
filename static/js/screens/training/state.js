/* What the training screen shows, in one object that is changed in one place. */

/** @typedef {import("../../types/page").View} View */
/** @typedef {import("../../types/runs").RunCard} RunCard */
/** @typedef {import("../../types/runs").RunDetails} RunDetails */
/** @typedef {import("../../types/runs").Line} Line */
/** @typedef {import("../../types/runs").Report} Report */

/**
 * @typedef {object} State
 * @property {RunCard[]} runs on this server
 * @property {RunDetails | null} run that is open
 * @property {Line[]} lines of its metrics so far
 * @property {Report | null} report of its test
 * @property {import("../../charts/cells.js").Cell | null} cell of its confusions that is open
 * @property {string | null} moment the checkpoint that is shown
 * @property {string} problem to tell; empty: none
 */
/** @typedef {State & { run: RunDetails }} Opened */

/** Nothing of a run is known yet. */
export const NO_RUN = {
  run: null,
  lines: /** @type {Line[]} */ ([]),
  report: null,
  cell: null,
  moment: null,
};

/** @param {(state: State, change: Partial<State>) => void} render draws what a change concerns */
export function createState(render) {
  /** @type {State} */
  const state = { runs: [], ...NO_RUN, problem: "" };
  /** @param {Partial<State>} change */
  function update(change) {
    Object.assign(state, change);
    render(state, change);
  }
  return { state, update };
}
