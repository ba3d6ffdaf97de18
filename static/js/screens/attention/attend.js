/* The arithmetic of attention: the queries and keys of one layer are in the page, so any token's row
   is a look-up away.

     row[a, n] = softmax over n of (q[a, query] . k[a, n]) / sqrt(d)                              */

/** @typedef {import("../../types/scenes").attention.LayerScene} LayerScene */

/**
 * What token `query` attends to in every head, [A * N]; each row sums to 1.
 *
 * Four sums at a time, for each addition would wait for the one before; d is a multiple of 4 in every
 * model. In float64, and rounded once: equal to the model's own rows to about 1e-7.
 *
 * @param {LayerScene} scene
 * @param {number} query index of a token, 0 is the class token
 * @param {Float32Array} [rows] is written into where it has the right size
 */
export function attend(scene, query, rows) {
  const [A, N, d] = scene.shapes.keys;
  const out = rows?.length === A * N ? rows : new Float32Array(A * N);
  for (let a = 0; a < A; a++) {
    const base = a * N * d;
    const scaled = Float64Array.from(
      scene.queries.subarray(base + query * d, base + (query + 1) * d),
      (value) => value * scene.facts.scale,
    );
    dotProducts(scaled, scene.keys.subarray(base, base + N * d), out.subarray(a * N, (a + 1) * N));
    softmax(out.subarray(a * N, (a + 1) * N));
  }
  return out;
}

/**
 * out[n] = query . keys[n].
 *
 * @param {Float64Array} query [d]
 * @param {Float32Array} keys [N * d]
 * @param {Float32Array} out [N]
 */
function dotProducts(query, keys, out) {
  const d = query.length;
  for (let n = 0, j = 0; n < out.length; n++, j += d) {
    let s0 = 0,
      s1 = 0,
      s2 = 0,
      s3 = 0;
    for (let i = 0; i < d; i += 4) {
      s0 += query[i] * keys[j + i];
      s1 += query[i + 1] * keys[j + i + 1];
      s2 += query[i + 2] * keys[j + i + 2];
      s3 += query[i + 3] * keys[j + i + 3];
    }
    out[n] = s0 + s1 + s2 + s3;
  }
}

/** In place. @param {Float32Array} values */
function softmax(values) {
  let high = -Infinity;
  for (const value of values) if (value > high) high = value;
  let total = 0;
  for (let n = 0; n < values.length; n++) total += values[n] = Math.exp(values[n] - high);
  for (let n = 0; n < values.length; n++) values[n] /= total;
}

/**
 * The mean of A rows [A * N] -> [N].
 *
 * @param {Float32Array} rows
 * @param {number} count A
 * @param {Float32Array} [mean] is written into where it has the right size
 */
export function meanOfHeads(rows, count, mean) {
  const N = rows.length / count;
  const out = mean?.length === N ? mean.fill(0) : new Float32Array(N);
  for (let a = 0; a < count; a++) for (let n = 0; n < N; n++) out[n] += rows[a * N + n];
  for (let n = 0; n < N; n++) out[n] /= count;
  return out;
}

/**
 * Where the largest of some values is, counted from `offset`.
 *
 * @param {ArrayLike<number>} values
 * @param {number} offset
 * @param {number} count
 */
export function strongest(values, offset, count) {
  let best = 0;
  for (let i = 1; i < count; i++) if (values[offset + i] > values[offset + best]) best = i;
  return best;
}

/**
 * q . k of two tokens in one head, before anything is divided.
 *
 * @param {LayerScene} scene
 * @param {{ head: number, query: number, key: number }} pair
 */
export function dot(scene, { head, query, key }) {
  const [, N, d] = scene.shapes.keys;
  let total = 0;
  for (let i = 0; i < d; i++)
    total += scene.queries[(head * N + query) * d + i] * scene.keys[(head * N + key) * d + i];
  return total;
}

/** Index of the first patch among the tokens. @param {LayerScene} scene */
export const firstPatch = (scene) => 1 + scene.facts.registers;

/**
 * Index of a patch among the tokens; null is the class token.
 *
 * @param {LayerScene} scene
 * @param {number | null} row
 * @param {number | null} col
 */
export const tokenAt = (scene, row, col) =>
  row === null || col === null ? 0 : firstPatch(scene) + row * scene.facts.grid[1] + col;
