/* Where clusters and maps are. */
import { sceneUrl } from "../../../page/scenes.js";

/** @typedef {import("../state.js").View} View */
/** @typedef {import("./state.js").Choice} Choice */
/** @typedef {import("../fetching.js").Query} Query */

/** @param {View} view @param {number} layer @param {Choice} choice @param {Query} [query] */
export const clustersUrl = ({ key, seed }, layer, { k }, query = {}) =>
  sceneUrl(key, `clusters/${layer}`, { k, seed, ...query });

/** The PCA's map. @param {View} view @param {number} layer */
export const flatUrl = ({ key }, layer) => sceneUrl(key, `map/${layer}`);

/** @param {View} view @param {number} layer @param {Choice} choice @param {Query} [query] */
export const umapUrl = ({ key, seed }, layer, { neighbours, distance }, query = {}) =>
  sceneUrl(key, `map/${layer}`, {
    method: "umap",
    neighbours,
    min_distance: distance,
    seed,
    ...query,
  });
