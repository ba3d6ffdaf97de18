/* Which layer, features and classifier read the labels best. */

/** @typedef {import("./data.js").Probe} Probe */
/** @typedef {import("./state.js").Features} Features */
/** @typedef {import("./state.js").Classifier} Classifier */

/**
 * @typedef {object} Score
 * @property {number} layer
 * @property {Features} features
 * @property {Classifier} classifier
 * @property {number} accuracy 0 to 1
 * @property {number} low of the 95 % interval
 * @property {number} high
 */

/**
 * All that have been judged so far.
 *
 * @param {Probe} probe
 * @returns {Score[]}
 */
export function scoresOf({ accuracy, low, high, facts }) {
  const kinds = /** @type {Features[]} */ (facts.kinds),
    classifiers = /** @type {Classifier[]} */ (facts.methods);
  return [...accuracy].flatMap((value, at) => {
    if (!Number.isFinite(value)) return [];
    const place = Math.floor(at / classifiers.length);
    return {
      layer: Math.floor(place / kinds.length),
      features: kinds[place % kinds.length],
      classifier: classifiers[at % classifiers.length],
      accuracy: value,
      low: low[at],
      high: high[at],
    };
  });
}

/** The most accurate, the first of equals; null while none has been judged. @param {Probe} probe */
export function bestOf(probe) {
  /** @type {Score | null} */
  let best = null;
  for (const score of scoresOf(probe)) if (!best || score.accuracy > best.accuracy) best = score;
  return best;
}

/**
 * @param {Probe} probe
 * @param {Pick<Score, "layer" | "features" | "classifier">} choice
 */
export const scoreOf = (probe, choice) =>
  scoresOf(probe).find(
    (one) =>
      one.layer === choice.layer &&
      one.features === choice.features &&
      one.classifier === choice.classifier,
  ) ?? null;
