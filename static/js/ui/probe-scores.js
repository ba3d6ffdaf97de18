/* Which layer, features and classifier read the labels best, and the words for that. */
import { percent } from "./format.js";

/** @typedef {import("../types/scenes").gallery_probes.Probe} Probe */
/** @typedef {"cls" | "mean_patch" | "both"} Features */
/** @typedef {"knn" | "logistic"} Classifier */

/** @type {Record<Features, string>} */
export const FEATURES = { cls: "Class token", mean_patch: "Mean patch", both: "Both" };
/** @type {Record<Classifier, string>} */
export const CLASSIFIERS = { knn: "k-NN", logistic: "Logistic" };

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

// ---------- in words

/** A classifier in words. @param {Pick<Score, "classifier" | "layer" | "features">} choice */
export const probeName = ({ classifier, layer, features }) =>
  `${CLASSIFIERS[classifier]} on the ${featureLabel(features)} of layer ${layer}`;

/** @param {Features} features */
export const featureLabel = (features) =>
  features === "both" ? "class token and mean patch" : FEATURES[features].toLowerCase();

/** @param {Score} score */
export const scoreText = ({ accuracy, low, high }) =>
  `${percent(accuracy)} right (${percent(low, 0)} to ${percent(high, 0)})`;

/** How they were judged, and what the bars are. @param {Probe} probe */
export function judgedSentence({ facts: { words, complete } }) {
  const end = /[.!]$/.test(words) ? "" : ".";
  return `${words}${end} Bars: 95 % intervals.${complete ? "" : " More layers are still being judged."}`;
}
