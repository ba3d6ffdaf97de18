/* The arithmetic of the patch embedding: pixels and filters are in the page, so every number of every
   patch's embedding is a dot product away.

     e[k] = sum over channel, y, x of filter[k] * (pixel / 255 - mean) / std + bias[k]            */

/** @typedef {import("../../types/scenes").tokens.PatchesScene} PatchesScene */
/** @typedef {import("./state.js").Filter} Filter */

/**
 * Normalised pixels, one patch after the other, each in the order of a filter: [P, 3 p p].
 *
 * @param {object} scene
 * @param {PatchesScene["pixels"]} scene.pixels
 * @param {Pick<PatchesScene["facts"], "grid" | "patch_size" | "mean" | "std">} scene.facts
 */
export function unfold({ pixels, facts }) {
  const { grid, patch_size: p, mean, std } = facts,
    [h, w] = grid,
    W = w * p;
  const out = new Float32Array(h * w * 3 * p * p);
  let at = 0;
  for (let patch = 0; patch < h * w; patch++) {
    const top = Math.floor(patch / w) * p,
      left = (patch % w) * p;
    for (let c = 0; c < 3; c++)
      for (let y = top; y < top + p; y++)
        for (let x = left; x < left + p; x++)
          out[at++] = (pixels[3 * (y * W + x) + c] / 255 - mean[c]) / std[c];
  }
  return out;
}

/**
 * weights[filter] . pixels[patch].
 *
 * @param {Float32Array} weights [k, length]
 * @param {Float32Array} pixels [P, length]
 * @param {{ filter: number, patch: number, length: number }} at
 */
function dot(weights, pixels, { filter, patch, length }) {
  let sum = 0;
  for (let i = filter * length, j = patch * length, end = i + length; i < end; i++, j++)
    sum += weights[i] * pixels[j];
  return sum;
}

/** Numbers of one filter, 3 p p. @param {PatchesScene} scene */
const lengthOf = (scene) => 3 * scene.facts.patch_size ** 2;

/**
 * The embedding of a patch, [D].
 *
 * @param {PatchesScene} scene
 * @param {Float32Array} pixels
 * @param {number} patch
 */
export function embed(scene, pixels, patch) {
  const length = lengthOf(scene),
    { filters, bias } = scene;
  return Float32Array.from(
    bias,
    (shift, filter) => dot(filters, pixels, { filter, patch, length }) + shift,
  );
}

/** @type {WeakMap<PatchesScene, Map<string, Float32Array>>} */
const responses = new WeakMap();

/**
 * What a filter or component says of every patch, [P]; computed once.
 *
 * @param {PatchesScene} scene
 * @param {Float32Array} pixels
 * @param {Filter} filter
 */
export function respond(scene, pixels, { kind, index }) {
  const known = responses.get(scene) ?? new Map();
  responses.set(scene, known);
  const name = `${kind} ${index}`,
    before = known.get(name);
  if (before) return before;
  const [h, w] = scene.facts.grid,
    length = lengthOf(scene),
    shift = kind === "filters" ? scene.bias[index] : 0;
  const response = Float32Array.from(
    { length: h * w },
    (_, patch) => dot(scene[kind], pixels, { filter: index, patch, length }) + shift,
  );
  known.set(name, response);
  return response;
}

/**
 * A filter as colours, bytes [p * p * 3]: zero is grey, its largest weight full.
 *
 * @param {Float32Array} weights [k, 3, p, p]
 * @param {number} index
 * @param {number} p
 */
export function filterColours(weights, index, p) {
  const length = 3 * p * p,
    filter = weights.subarray(index * length, (index + 1) * length);
  let high = 1e-12;
  for (const weight of filter) high = Math.max(high, Math.abs(weight));
  return Uint8Array.from({ length }, (_, i) =>
    Math.round(127.5 + (127.5 * filter[(i % 3) * p * p + Math.floor(i / 3)]) / high),
  );
}

/** Where the number farthest from zero is. @param {Float32Array} values */
export const strongest = (values) =>
  values.reduce((best, value, i) => (Math.abs(value) > Math.abs(values[best]) ? i : best), 0);

/** The largest distance from zero; never 0. @param {ArrayLike<number>} values */
export function reach(values) {
  let high = 1e-12;
  for (let i = 0; i < values.length; i++) high = Math.max(high, Math.abs(values[i]));
  return high;
}
