/* How this screen writes times, and what states and actions are called. */

/** @typedef {import("../../types/runs").RunAction} RunAction */

/** @type {Record<RunAction, string>} */
export const ACTIONS = {
  pause: "Pause",
  resume: "Resume",
  stop: "Stop",
  mend: "Mend",
  delete: "Delete",
};

/** What a button says from the click on, until the run has done it. @type {Record<RunAction, string>} */
export const UNDER_WAY = {
  pause: "Pausing…",
  resume: "Resuming…",
  stop: "Stopping…",
  mend: "Mending…",
  delete: "Deleting…",
};

/** A day and time. @param {number} seconds since 1970 */
export const dateAndTime = (seconds) =>
  new Date(1000 * seconds).toLocaleString([], { dateStyle: "short", timeStyle: "short" });

/** @param {number} seconds */
export function duration(seconds) {
  if (seconds >= 5400) return `${(seconds / 3600).toFixed(1)} h`;
  if (seconds >= 90) return `${Math.round(seconds / 60)} min`;
  return `${Math.round(seconds)} s`;
}

/** A checkpoint in words. @param {string | undefined} moment as the server calls it */
export function nameOfMoment(moment) {
  if (!moment) return "";
  return moment.startsWith("step-") ? `step ${Number(moment.slice("step-".length))}` : moment;
}
