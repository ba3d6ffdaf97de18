/* The arithmetic of before and after, without the page. */

/**
 * The mean over heads of maps [A * P] -> [P].
 *
 * @param {Float32Array} rows
 * @param {number} P
 */
export function meanOfHeads(rows, P) {
  const heads = rows.length / P,
    mean = new Float32Array(P);
  for (let i = 0; i < rows.length; i++) mean[i % P] += rows[i] / heads;
  return mean;
}

/** 1 - cosine of each patch, at least 0. @param {{ patch_cosine: Float32Array }} scene */
export const changeOf = ({ patch_cosine: cosines }) =>
  cosines.map((cosine) => Math.max(1 - cosine, 0));

/** Where the largest value is. @param {ArrayLike<number>} values */
export function indexOfLargest(values) {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i] > values[best]) best = i;
  return best;
}
