/* Small sums over parts of typed arrays. */

/** @typedef {ArrayLike<number>} Numbers */

/** @param {Numbers} values @param {number} offset @param {number} count */
export function maximum(values, offset, count) {
  let high = -Infinity;
  for (let i = offset; i < offset + count; i++) if (values[i] > high) high = values[i];
  return high;
}

/** @param {Numbers} values @param {number} offset @param {number} count */
export function sum(values, offset, count) {
  let total = 0;
  for (let i = offset; i < offset + count; i++) total += values[i];
  return total;
}
