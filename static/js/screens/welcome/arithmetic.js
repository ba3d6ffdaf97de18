/* The arithmetic of the welcome, without the page. */

/** @typedef {import("../../types/scenes").welcome.WelcomeScene} WelcomeScene */

/**
 * Short directions [P, width] as they were sent, made of length 1 again.
 *
 * @param {Pick<WelcomeScene, "codes" | "scales">} scene
 */
export function unpacked({ codes, scales }) {
  const width = scales.length,
    vectors = new Float32Array(codes.length);
  for (let at = 0; at < codes.length; at += width) {
    let square = 0;
    for (let i = 0; i < width; i++) {
      vectors[at + i] = codes[at + i] * scales[i];
      square += vectors[at + i] ** 2;
    }
    const length = Math.sqrt(square) || 1;
    for (let i = 0; i < width; i++) vectors[at + i] /= length;
  }
  return vectors;
}

/**
 * The cosine of one vector with each.
 *
 * @param {Float32Array} vectors [P, width] of length 1
 * @param {number} width
 * @param {number} index
 */
export function cosinesWith(vectors, width, index) {
  const result = new Float32Array(vectors.length / width),
    one = vectors.subarray(index * width, (index + 1) * width);
  for (let p = 0, at = 0; p < result.length; p++)
    for (let i = 0; i < width; i++, at++) result[p] += one[i] * vectors[at];
  return result;
}
