/* What is compared. */
import { kept } from "../../../page/link.js";

/** @typedef {import("../state.js").View} View */
/** @typedef {import("../state.js").Second} Second */

/**
 * @typedef {object} LoadedComparison what is shown, and what it was made with
 * @property {View} view
 * @property {Second | null} second the picture in another model; null: in this one
 * @property {number} layer
 * @property {number} secondLayer
 * @property {import("../state.js").Colouring} colouring
 * @property {import("../fetching.js").ComparisonScene} scene
 * @property {import("../fetching.js").LikenessScene} table
 * @property {import("../fetching.js").PatchesScene} patches
 * @property {import("../fetching.js").PatchesScene} others
 */

/**
 * @typedef {object} Compare
 * @property {number | null} secondLayer null: not chosen yet
 * @property {string | null} model the second one's name; null: the same
 * @property {Second | null} second
 * @property {LoadedComparison | null} loaded
 * @property {[Float32Array | null, Float32Array | null]} similar cosines in both
 */

/** @param {string | null} [model] that was asked for; else the link's @returns {Compare} */
export function initialCompare(model = null) {
  const layer = Number.parseInt(kept("features.layer") ?? "", 10);
  return {
    secondLayer: Number.isNaN(layer) ? null : layer,
    model: model ?? kept("features.model"),
    second: null,
    loaded: null,
    similar: [null, null],
  };
}

/** What tests and curious people may read. @param {Compare} compare */
export function exposed({ loaded, similar, secondLayer }) {
  if (!loaded) return { secondLayer };
  const { scene, table, view, second } = loaded;
  return {
    secondLayer: loaded.secondLayer,
    model: (second ?? view).model,
    cka: scene.facts.cka,
    order: scene.facts.order,
    signs: scene.facts.signs,
    correlation: scene.facts.correlation,
    likeness: table.cka,
    similar: similar[0],
    secondSimilar: similar[1],
    key: loaded.view.key,
    layer: loaded.layer,
  };
}
