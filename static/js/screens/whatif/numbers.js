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

/**
 * What the screening of heads or blocks says of each, [T * units].
 *
 * @param {import("../../types/scenes").whatif_screening.ScreeningScene} scene
 * @param {{ of: "cls" | "patches" | "accuracy", value: string }} colouring
 */
export function effectsOf(scene, { of, value }) {
  const [, layers, units] = scene.shapes.mean_cls,
    count = layers * units,
    every = { cls: scene.mean_cls, patches: scene.mean_patches, accuracy: scene.accuracy_change }[
      of
    ];
  const values = (/** @type {string} */ name) => {
    const at = scene.facts.values.indexOf(name);
    return at < 0 || !every ? new Float32Array(count) : every.slice(at * count, (at + 1) * count);
  };
  if (value !== "shock") return values(value);
  if (of !== "accuracy")
    return (of === "cls" ? scene.shock_cls : scene.shock_patches) ?? new Float32Array(count);
  const mean = values("mean");
  return values("zero").map((zero, i) => zero - mean[i]);
}

/**
 * The first and last value of the colours: from 0, or as far below 0 as above.
 *
 * @param {Float32Array} values
 * @param {boolean} isSigned
 * @returns {[number, number]}
 */
export function rangeOf(values, isSigned) {
  const most = values.reduce((high, value) => Math.max(high, Math.abs(value)), 0);
  return [isSigned ? -most : 0, most];
}

/**
 * Which of 256 colours a value has; the middle one where nothing is changed anywhere.
 *
 * @param {number} value
 * @param {readonly [number, number]} range
 * @param {boolean} isSigned
 */
export function levelOf(value, [low, high], isSigned) {
  const share = high > low ? (value - low) / (high - low) : isSigned ? 0.5 : 0;
  return Math.round(255 * share);
}

/** Where the largest value is. @param {ArrayLike<number>} values */
export function indexOfLargest(values) {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i] > values[best]) best = i;
  return best;
}
