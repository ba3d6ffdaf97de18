/* The arithmetic of a checkpoint's pictures. */

/** @typedef {import("../../types/scenes").training.ProbeScene} ProbeScene */

/**
 * The class token's attention of one picture: of a head, or of their mean (null). [h * w]
 *
 * @param {ProbeScene} scene
 * @param {number} picture
 * @param {number | null} head
 */
export function attentionOf(scene, picture, head) {
  const { grid, heads } = scene.facts,
    P = grid[0] * grid[1],
    from = picture * heads * P;
  if (head !== null) return scene.attention.subarray(from + head * P, from + (head + 1) * P);
  const mean = new Float32Array(P);
  for (let a = 0; a < heads; a++)
    for (let p = 0; p < P; p++) mean[p] += scene.attention[from + a * P + p] / heads;
  return mean;
}

/**
 * Over how many places values are spread: the exponential of their entropy once they sum to 1.
 *
 * @param {ArrayLike<number>} values not negative
 */
export function spreadOf(values) {
  let total = 0,
    entropy = 0;
  for (let i = 0; i < values.length; i++) total += values[i];
  for (let i = 0; i < values.length; i++)
    if (values[i] > 0) entropy -= (values[i] / total) * Math.log(values[i] / total);
  return Math.exp(entropy);
}

/**
 * The part of an array [n, ...] that belongs to one picture.
 *
 * @template {Uint8Array | Float32Array} Values
 * @param {Values} values
 * @param {number} picture
 * @param {number} size of each
 * @returns {Values}
 */
export const partOf = (values, picture, size) =>
  /** @type {Values} */ (values.subarray(picture * size, (picture + 1) * size));

/**
 * Which moment a run that goes on has reached. The last one of a distillation is its teacher, to
 * compare with.
 *
 * @param {readonly string[]} moments
 */
export const newestOf = (moments) =>
  Math.max(moments.length - (moments.at(-1) === "teacher" ? 2 : 1), 0);
