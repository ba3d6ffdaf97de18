/* What the map of patches shows, and what of it stays when another layer is asked for. */
import { kept } from "../../../page/link.js";
import { percent, place } from "../../../ui/format.js";

/** @typedef {import("../state.js").View} View */
/**
 * @typedef {object} Choice
 * @property {number} k
 * @property {"pca" | "umap"} method
 * @property {"clusters" | "pca"} colour
 * @property {number} neighbours
 * @property {number} distance
 */

/**
 * @typedef {object} LoadedMap what is shown, and what it was made with
 * @property {View} view
 * @property {number} layer
 * @property {Choice} choice
 * @property {import("../fetching.js").ClustersScene} clusters
 * @property {import("../fetching.js").MapScene} map
 * @property {import("../fetching.js").FeaturesScene | null} rainbow the PCA's colours, where they are wanted
 */

/**
 * @typedef {object} PatchMap
 * @property {Choice} choice
 * @property {number | null} alone the cluster that is shown alone
 * @property {number} strength of the overlay, 0 to 1
 * @property {boolean} isMapping UMAP is at work
 * @property {LoadedMap | null} loaded
 */

/** @returns {PatchMap} */
export const initialMap = () => ({
  choice: {
    k: Number(kept("features.k") ?? 6),
    method: kept("features.map") === "umap" ? "umap" : "pca",
    colour: "clusters",
    neighbours: 15,
    distance: 0.1,
  },
  alone: null,
  strength: 0.75,
  isMapping: false,
  loaded: null,
});

/**
 * What of the layer as it was shown can stay: the cluster that is alone, and a map until UMAP has made
 * another.
 *
 * @param {PatchMap} map
 * @param {LoadedMap} next
 * @param {boolean} wantsUmap
 */
export function asBefore({ loaded, alone }, next, wantsUmap) {
  if (loaded?.view !== next.view || loaded.layer !== next.layer)
    return { loaded: next, alone: null };
  const isThere = alone !== null && alone < next.clusters.facts.sizes.length;
  return {
    loaded: wantsUmap ? { ...next, map: loaded.map } : next,
    alone: isThere ? alone : null,
  };
}

/**
 * Which cluster a patch is in, and what the clusters are worth.
 *
 * @param {LoadedMap} loaded
 * @param {number} patch
 */
export function clusterSentence({ clusters: { facts, labels } }, patch) {
  const cluster = labels[patch];
  return (
    `Patch ${place(patch, facts.grid)} is in cluster ${cluster}, with ` +
    `${facts.sizes[cluster] - 1} others. ` +
    `The ${facts.sizes.length} clusters explain ${percent(facts.explained)} of the variance ` +
    `between patches (k-means, seed ${facts.seed}).`
  );
}

/** What tests and curious people may read. @param {import("../state.js").State} state */
export function exposed({ map: { loaded, alone }, around }) {
  if (!loaded) return {};
  const { clusters, map } = loaded;
  return {
    key: loaded.view.key,
    layer: loaded.layer,
    k: clusters.facts.k,
    labels: clusters.labels,
    sizes: clusters.facts.sizes,
    alone,
    method: map.facts.method,
    parameters: map.facts.parameters,
    points: map.points,
    umap: around.umap,
    explained: clusters.facts.explained,
  };
}
