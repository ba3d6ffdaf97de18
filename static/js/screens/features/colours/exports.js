/* What can be taken of the colours. */
import { NotShownYet } from "../../../page/errors.js";
import { openInPython } from "../../../page/python.js";
import { sceneUrl } from "../../../page/scenes.js";
import { flatten } from "../../../ui/canvas.js";
import { cellOf, csvOf } from "../arithmetic.js";
import { featuresUrl } from "../fetching.js";
import { configInPython } from "../in-python.js";
import { FIGURES } from "../panels.js";
import { colouringQuery, patchOf } from "../state.js";
import { COMPONENTS } from "./controls.js";

/** @typedef {import("../state.js").State} State */
/** @typedef {import("./state.js").LoadedColours} LoadedColours */

/**
 * @param {State} state
 * @param {() => { picture: HTMLImageElement, overlay: HTMLCanvasElement }} drawn
 * @returns {import("../../../page/export.js").Exports}
 */
export const createExports = (state, drawn) => ({
  png() {
    const { picture, overlay } = drawn();
    return flatten(picture, overlay, state.colours.strength);
  },
  npz() {
    const { view, layer, colouring } = shown(state);
    return featuresUrl(view, layer, colouring, { form: "npz" });
  },
  figures: FIGURES,
  figure(query, what) {
    const { view, layer, colouring, scene } = shown(state);
    if (what === "similarity") {
      const { row, col } = patchOf(state, scene.facts.grid);
      return sceneUrl(view.key, "print/similarity", { layer, row, column: col, ...query });
    }
    return sceneUrl(view.key, "print/pca", { layer, ...colouringQuery(colouring), ...query });
  },
  csv: () => table(shown(state), state.colours.similar ?? new Float32Array(0)),
  python: () => lines(shown(state), state),
});

/** @param {State} state */
function shown({ colours }) {
  if (!colours.loaded) throw new NotShownYet();
  return colours.loaded;
}

/**
 * A line a patch.
 *
 * @param {LoadedColours} loaded
 * @param {Float32Array} similar
 */
export function table({ scene }, similar) {
  const { config, grid } = scene.facts;
  const names = [
    "row",
    "column",
    ...config.components.map((component) => `component_${component}`),
    "foreground",
    "cosine_to_chosen",
  ];
  const rows = [...similar].map((value, p) => [
    ...cellOf(p, grid),
    ...scene.scores.subarray(3 * p, 3 * p + 3),
    scene.foreground[p],
    value,
  ]);
  return csvOf(names, rows);
}

/** @param {LoadedColours} loaded @param {State} state */
function lines({ view, layer, colouring, scene }, state) {
  return `from dataclasses import replace

${openInPython(view)}

from dino_core.analysis.pca import colour_features
from dino_core.analysis.similarity import cosine_similarity
from dino_core.config import PCA_PRESETS

features = seen.patches(layer=${layer})  # [patches, channels]
config = ${configInPython(colouring)}
result = colour_features([features], [seen.grid], config, count=${COMPONENTS})
print(result.pca.ratio)  # explained variance
colours = result.pictures[0].colours  # [h, w, 3], 0 to 1
chosen = ${patchOf(state, scene.facts.grid).index}  # the patch to which the others are compared
similar = cosine_similarity(features[[chosen]], features)[0]
print(similar.mean())`;
}
