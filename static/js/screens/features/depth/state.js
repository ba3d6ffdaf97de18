/* What is shown through depth, and where between two layers the film stands. */
import { kept } from "../../../page/link.js";
import { selection } from "../../../page/selection.js";

/** @typedef {import("../state.js").View} View */
/** @typedef {import("../../../types/scenes").depth.DepthScene} DepthScene */
/** @typedef {import("../../../types/scenes").depth.DepthClustersScene} DepthClustersScene */
/** @typedef {import("../../../types/scenes").depth.DepthAttentionScene} DepthAttentionScene */

export const METHODS = /** @type {const} */ ([
  ["rotation", "rotated"],
  ["order", "in order and signs"],
  ["signs", "in signs"],
  ["joint", "one PCA for all"],
  ["none", "each as it comes"],
]);
export const SHOWN = /** @type {const} */ ([
  ["pca", "PCA"],
  ["clusters", "Clusters"],
]);

/**
 * @typedef {object} Choice
 * @property {typeof METHODS[number][0]} align how a layer's components are brought to the next one's
 * @property {boolean} robust patches whose length stands out have no say
 * @property {typeof SHOWN[number][0]} picture what lies beside the attention
 */

/** @typedef {{ row: number, column: number, head: number }} Asked -1: class token, mean of all heads */

/**
 * @typedef {object} LoadedDepth
 * @property {View} view
 * @property {import("../state.js").Colouring} colouring
 * @property {Choice} choice
 * @property {Asked} asked
 * @property {DepthScene} scene
 * @property {DepthClustersScene} clusters
 * @property {Float32Array} attention [T * P] each layer from 0 to 1, its largest
 * @property {number[]} largest [T] weights
 */

/**
 * @typedef {object} Depth
 * @property {LoadedDepth | null} loaded
 * @property {Choice} choice
 * @property {number | null} at where the film stands, in layers; null: it does not play
 */

/** @template {readonly (readonly [string, string])[]} Choices */
const among = (/** @type {Choices} */ choices, /** @type {string | null} */ name) =>
  /** @type {Choices[number][0]} */ (choices.find(([one]) => one === name)?.[0] ?? choices[0][0]);

/** @returns {Depth} */
export const initialDepth = () => ({
  loaded: null,
  choice: {
    align: among(METHODS, kept("features.align")),
    robust: kept("features.robust") === "1",
    picture: among(SHOWN, kept("features.depth")),
  },
  at: null,
});

/** Who asks, of what all screens have selected. @returns {Asked} */
export const askedNow = () => ({
  row: selection.row ?? -1,
  column: selection.col ?? -1,
  head: selection.head ?? -1,
});

/**
 * The two layers between which a film stands, and the share of the second: it leaves and arrives at
 * rest, as the film that is saved does (dino_core/draw/film.py).
 *
 * @param {number} at
 * @param {number} last layer
 * @returns {[layer: number, next: number, share: number]}
 */
export function between(at, last) {
  const layer = Math.min(Math.floor(at), last),
    t = at - layer;
  return [layer, Math.min(layer + 1, last), t * t * (3 - 2 * t)];
}

/**
 * One map [size] out of those of all layers.
 *
 * @param {ArrayLike<number>} values [T * size]
 * @param {number} size
 * @param {ReturnType<typeof between>} where
 */
export function mixed(values, size, [layer, next, share]) {
  const out = new Float32Array(size);
  for (let i = 0, a = layer * size, b = next * size; i < size; i++)
    out[i] = values[a + i] + share * (values[b + i] - values[a + i]);
  return out;
}

/**
 * Each layer's attention as a share of its largest weight.
 *
 * @param {Pick<DepthAttentionScene, "attention" | "shapes">} scene
 * @returns {Pick<LoadedDepth, "attention" | "largest">}
 */
export function scaled({ attention, shapes: { attention: shape } }) {
  const [T, h, w] = shape,
    size = h * w;
  const largest = Array.from({ length: T }, (_, layer) =>
    attention.subarray(layer * size, (layer + 1) * size).reduce((a, b) => Math.max(a, b), 0),
  );
  return { attention: attention.map((one, i) => one / largest[Math.floor(i / size)]), largest };
}

/** How a layer came to its colours. @param {LoadedDepth} loaded @param {number} layer */
export function describeLayer({ scene: { facts }, clusters, choice }, layer) {
  const next = layer + 1;
  const hundredths = (/** @type {number} */ share) => `${Math.round(100 * share)} %`;
  if (choice.picture === "clusters") {
    const followed = layer === clusters.facts.kept.length - 1;
    return followed
      ? `Layer ${layer}: the clusters of the layers before are numbered after these.`
      : `Layer ${layer}: ${hundredths(clusters.facts.kept[layer])} of the patches are in the cluster ` +
          `that has them in layer ${next}.`;
  }
  const { cosine, variance, best, agreement, note, method } = facts,
    last = layer === cosine.length - 1;
  const brought =
    method === "none" || method === "joint" || last
      ? ""
      : `, cosine ${cosine[layer].toFixed(2)} with layer ${next}, to which it was brought`;
  const words =
    `Layer ${layer}${brought}: ${hundredths(variance[layer])} of its variance is shown, ` +
    `${hundredths(best[layer])} would be by its own three components; its first component ` +
    `correlates by ${agreement[layer].toFixed(2)} with what parts object and background in all layers.`;
  return `${words} ${note}`.trim();
}

/** What tests and curious people may read. @param {Depth} depth */
export function exposed({ loaded, at }) {
  if (!loaded) return {};
  const { scene, clusters, attention, asked, choice, colouring } = loaded,
    { facts, colours } = scene,
    { flip } = colouring;
  return { colours, labels: clusters.labels, attention, at, asked, choice, flip, facts };
}
