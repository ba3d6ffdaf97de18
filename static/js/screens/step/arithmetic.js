/* The arithmetic of the screen: from line to line of a recorded step, and what a row of steps has
   brought. Nothing here touches the page. */

/** @typedef {Pick<import("./state.js").Visit, "function" | "first" | "last" | "depth">} Place */

/**
 * The next statement of the function itself, or of one that called it: over what is called.
 *
 * @param {readonly Place[]} visits
 * @param {number} at
 */
export function stepOver(visits, at) {
  for (let next = at + 1; next < visits.length; next++)
    if (visits[next].depth <= visits[at].depth) return next;
  return visits.length - 1;
}

/**
 * The same backwards.
 *
 * @param {readonly Place[]} visits
 * @param {number} at
 */
export function stepBackOver(visits, at) {
  for (let before = at - 1; before >= 0; before--)
    if (visits[before].depth <= visits[at].depth) return before;
  return 0;
}

/**
 * Where a click on a line leads: to the next time that it runs, else to the first; null if it never does.
 *
 * @param {readonly Place[]} visits
 * @param {{ function: number, line: number, at: number }} clicked
 */
export function visitOfLine(visits, { function: index, line, at }) {
  const has = (/** @type {Place} */ one) =>
    one.function === index && one.first <= line && line <= one.last;
  const next = visits.findIndex((one, i) => i > at && has(one));
  const found = next < 0 ? visits.findIndex(has) : next;
  return found < 0 ? null : found;
}

/**
 * The functions that were run, and in each the lines.
 *
 * @param {readonly Place[]} visits
 * @returns {Map<number, Set<number>>}
 */
export function linesRun(visits) {
  /** @type {Map<number, Set<number>>} */
  const run = new Map();
  for (const { function: index, first, last } of visits) {
    const lines = run.get(index) ?? new Set();
    for (let line = first; line <= last; line++) lines.add(line);
    run.set(index, lines);
  }
  return run;
}

/** @param {Record<string, number>} terms */
export const sumOf = (terms) => Object.values(terms).reduce((sum, value) => sum + value, 0);

/**
 * The largest and the smallest of some values.
 *
 * @param {ArrayLike<number>} values
 * @returns {[number, number]}
 */
export function rangeOf(values) {
  const all = Array.from(values);
  return all.length ? [Math.min(...all), Math.max(...all)] : [0, 0];
}

const FAINT = 1e-6,
  STEPS = 20; // places of the slider to a power of ten

/** A learning rate as a place of the slider, which counts by powers of ten. @param {number} rate */
export const placeOfRate = (rate) => Math.round(STEPS * Math.log10(Math.max(rate, FAINT) / FAINT));

/** The way back, in two digits. @param {number} at */
export const rateAt = (at) => Number((FAINT * 10 ** (at / STEPS)).toPrecision(2));

/** The last place of the slider: a rate of 0.01. */
export const LAST_RATE = placeOfRate(0.01);
