/* How far an answer is from what was computed, in words. Nobody is scolded. Nothing here touches the
   page. */

/** @typedef {readonly [row: number, col: number]} Patch */

const place = (/** @type {Patch} */ [row, col]) => `row ${row}, column ${col}`;

/** "the 2nd". @param {number} n from 1 */
export function ordinal(n) {
  const ten = n % 100;
  const ending = ten > 10 && ten < 14 ? "th" : (["th", "st", "nd", "rd"][n % 10] ?? "th");
  return `${n}${ending}`;
}

/**
 * A slider's answer.
 *
 * @param {number} said
 * @param {number} truth
 * @param {(value: number) => string} format
 * @param {(value: number) => string} [difference] how far is written, where that is otherwise
 */
export function apart(said, truth, format, difference = format) {
  if (format(said) === format(truth)) return `You said ${format(said)}, and so it is.`;
  const by = difference(Math.abs(said - truth));
  return `You said ${format(said)}. It is ${format(truth)}: ${by} ${said > truth ? "less" : "more"}.`;
}

/**
 * Where a value stands among others, from 1, the best first.
 *
 * @param {ArrayLike<number>} values
 * @param {number} index
 * @param {boolean} most whether the largest is the best
 */
export function rankOf(values, index, most) {
  const mine = values[index];
  let before = 0;
  for (let i = 0; i < values.length; i++)
    if (most ? values[i] > mine : values[i] < mine) before += 1;
  return before + 1;
}

/**
 * A patch that was pointed at.
 *
 * @param {Patch} said
 * @param {Patch} truth
 * @param {(patch: Patch) => string} measure
 */
export function away(said, truth, measure) {
  const far = Math.hypot(said[0] - truth[0], said[1] - truth[1]);
  if (far === 0) return `You pointed at ${place(said)}, and that one it is: ${measure(said)}.`;
  return (
    `You pointed at ${place(said)}: ${measure(said)}. It is ${place(truth)}: ${measure(truth)}, ` +
    `${far.toFixed(1)} patches away.`
  );
}

/**
 * One of several that was chosen.
 *
 * @param {number} said
 * @param {number} truth
 * @param {{ label: (value: number) => string, measure: (value: number) => string, rank: string }} how
 */
export function among(said, truth, { label, measure, rank }) {
  if (said === truth) return `You chose ${label(said)}, and that one it is: ${measure(said)}.`;
  return (
    `You chose ${label(said)}: ${measure(said)}, ${rank}. It is ${label(truth)}: ` +
    `${measure(truth)}.`
  );
}
