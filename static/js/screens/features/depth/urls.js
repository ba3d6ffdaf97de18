/* Where the layers of a picture are, and their film. */
import { sceneUrl } from "../../../page/scenes.js";
import { colouringQuery } from "../state.js";

/** @typedef {import("./state.js").Choice} Choice */
/** @typedef {import("./state.js").Asked} Asked */
/** @typedef {import("../state.js").View} View */
/** @typedef {import("../state.js").Colouring} Colouring */
/** @typedef {import("../fetching.js").Query} Query */

/** @param {Colouring} colouring @param {Choice} choice */
const inColours = (colouring, { align, robust }) => ({
  ...colouringQuery(colouring),
  align,
  robust,
});

/** @param {View} view @param {Colouring} colouring @param {Choice} choice @param {Query} [query] */
export const depthUrl = ({ key }, colouring, choice, query = {}) =>
  sceneUrl(key, "depth", { ...inColours(colouring, choice), ...query });

/** @param {View} view @param {Asked} asked @param {Query} [query] */
export const attentionUrl = ({ key }, asked, query = {}) =>
  sceneUrl(key, "depth/attention", { ...asked, ...query });

/** @param {View} view @param {number} k @param {Query} [query] */
export const layerClustersUrl = ({ key, seed }, k, query = {}) =>
  sceneUrl(key, "depth/clusters", { k, seed, ...query });

/**
 * @param {import("./state.js").LoadedDepth} loaded
 * @param {"pca" | "attention"} what
 * @param {"webp" | "gif"} kind
 */
export const filmUrl = ({ view, colouring, choice, asked }, what, kind) =>
  sceneUrl(view.key, "depth/film", {
    view: what,
    kind,
    ...(what === "pca" ? inColours(colouring, choice) : asked),
  });

/** The same for print. @param {import("./state.js").LoadedDepth} loaded @param {Query} query */
export const layersPrintUrl = ({ view, colouring, choice }, query) =>
  sceneUrl(view.key, "print/layers", { ...inColours(colouring, choice), ...query });
