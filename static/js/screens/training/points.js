/* Whether there is anything to draw. */

/** @param {readonly { y: readonly (number | null)[] }[]} traces of one chart */
export const hasPoints = (traces) => traces.some(({ y }) => y.some((value) => value !== null));
