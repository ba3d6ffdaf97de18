/* The scenes of this screen, each with its type. */
import { fetchScene, sceneUrl } from "../../page/scenes.js";
import { colouringQuery } from "./state.js";

/** @typedef {import("../../types/scenes").features.FeaturesScene} FeaturesScene */
/** @typedef {import("../../types/scenes").features.PatchesScene} PatchesScene */
/** @typedef {import("../../types/scenes").features.ClustersScene} ClustersScene */
/** @typedef {import("../../types/scenes").features.MapScene} MapScene */
/** @typedef {import("../../types/scenes").matching.MatchesScene} MatchesScene */
/** @typedef {import("../../types/scenes").comparison.ComparisonScene} ComparisonScene */
/** @typedef {import("../../types/scenes").comparison.LikenessScene} LikenessScene */
/** @typedef {Record<string, string | number | boolean>} Query */

/**
 * @param {{ key: string }} view
 * @param {number} layer
 * @param {import("./state.js").Colouring} colouring
 * @param {Query} [query]
 */
export const featuresUrl = ({ key }, layer, colouring, query = {}) =>
  sceneUrl(key, `features/${layer}`, { ...colouringQuery(colouring), ...query });

/** @param {{ key: string }} view @param {number} layer */
export const patchesUrl = ({ key }, layer) => sceneUrl(key, `patches/${layer}`);

/** @param {string} url @returns {Promise<FeaturesScene>} */
export const fetchFeatures = (url) => fetchScene(url);

/** @param {{ key: string }} view @param {number} layer @returns {Promise<PatchesScene>} */
export const fetchPatches = (view, layer) => fetchScene(patchesUrl(view, layer));

/** @param {string} url @returns {Promise<ClustersScene>} */
export const fetchClusters = (url) => fetchScene(url);

/** @param {string} url @returns {Promise<MapScene>} */
export const fetchMap = (url) => fetchScene(url);

/** @param {string} url @returns {Promise<MatchesScene>} */
export const fetchMatches = (url) => fetchScene(url);

/** @param {string} url @returns {Promise<ComparisonScene>} */
export const fetchComparison = (url) => fetchScene(url);

/** @param {string} url @returns {Promise<LikenessScene>} */
export const fetchLikeness = (url) => fetchScene(url);

/**
 * Where the matches of two pictures are.
 *
 * @typedef {import("./pair/state.js").LoadedPair} LoadedPair
 * @param {Pick<LoadedPair, "view" | "second" | "layer" | "colouring" | "objectOnly">} pair
 * @param {Query} [query]
 */
export const matchesUrl = ({ view, second, layer, colouring, objectOnly }, query = {}) =>
  sceneUrl(view.key, `matches/${layer}`, {
    ...colouringQuery(colouring),
    second: second.key,
    object_only: objectOnly,
    ...query,
  });

/**
 * Two pictures for print: lines between what matches, or how alike both are to one patch.
 *
 * @param {Parameters<typeof matchesUrl>[0]} loaded
 * @param {Query} query
 * @param {{ row: number, col: number } | null} patch of the first, to which both are compared
 */
export const pairPrintUrl = ({ view, second, layer, colouring, objectOnly }, query, patch) =>
  sceneUrl(view.key, `print/${patch ? "similarity" : "matches"}`, {
    second: second.key,
    layer,
    ...(patch
      ? { row: patch.row, column: patch.col }
      : { ...colouringQuery(colouring), object_only: objectOnly }),
    ...query,
  });

/**
 * @typedef {import("./compare/state.js").LoadedComparison} LoadedComparison
 * @param {Pick<LoadedComparison, "view" | "layer" | "colouring" | "secondLayer" | "second">} comparison
 * @param {Query} [query]
 */
export const comparisonUrl = ({ view, layer, colouring, secondLayer, second }, query = {}) =>
  sceneUrl(view.key, `comparison/${layer}`, {
    ...colouringQuery(colouring),
    second_layer: secondLayer,
    ...(second ? { second: second.key } : {}),
    ...query,
  });

/**
 * The same for print.
 *
 * @param {Parameters<typeof comparisonUrl>[0]} comparison
 * @param {Query} query
 */
export const comparisonPrintUrl = ({ view, layer, colouring, secondLayer, second }, query) =>
  sceneUrl(view.key, "print/comparison", {
    ...colouringQuery(colouring),
    layer,
    second_layer: secondLayer,
    ...(second ? { second: second.key } : {}),
    ...query,
  });
