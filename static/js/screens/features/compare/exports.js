/* What can be taken of a comparison. */
import { NotShownYet } from "../../../page/errors.js";
import { loadInPython, openInPython } from "../../../page/python.js";
import { csvOf } from "../arithmetic.js";
import { comparisonPrintUrl, comparisonUrl } from "../fetching.js";
import { configInPython } from "../in-python.js";
import { sideBySide } from "../panels.js";

/** @typedef {import("../state.js").State} State */
/** @typedef {import("./state.js").LoadedComparison} LoadedComparison */

/**
 * @param {State} state
 * @param {() => import("../../../ui/patch-picture.js").PatchPicture[]} layers
 * @returns {import("../../../page/export.js").Exports}
 */
export const createExports = (state, layers) => ({
  png: () => sideBySide(layers().map(({ picture, overlay }) => [picture, overlay, 1])),
  npz: () => comparisonUrl(shown(state), { form: "npz" }),
  figure: (query) => comparisonPrintUrl(shown(state), query),
  csv: () => table(shown(state)),
  python: () => lines(shown(state)),
});

/** @param {State} state */
function shown({ compare }) {
  if (!compare.loaded) throw new NotShownYet();
  return compare.loaded;
}

/** A line a layer of the first. @param {Pick<LoadedComparison, "table">} loaded */
export function table({ table: { cka, shapes } }) {
  const [rows, columns] = shapes.cka;
  return csvOf(
    ["layer", ...Array.from({ length: columns }, (_, i) => `second_${i}`)],
    Array.from({ length: rows }, (_, i) => [i, ...cka.subarray(i * columns, (i + 1) * columns)]),
  );
}

/** @param {LoadedComparison} loaded */
function lines({ view, second, layer, secondLayer, colouring }) {
  const other = second
    ? `inspect(${loadInPython(second)}.vit, to_tensor(fit_to_patches(picture, ` +
      `${second.patch_size}, ${second.short_side}).picture))`
    : "seen";
  return `from dataclasses import replace

${openInPython(view)}
second = ${other}

from dino_core.analysis.comparison import align_components, linear_cka, to_grid
from dino_core.analysis.pca import colour_features, fit_pca
from dino_core.config import PCA_PRESETS

features = seen.patches(layer=${layer})
others = to_grid(second.patches(layer=${secondLayer}), second.grid, seen.grid)
print("CKA", linear_cka(features, others))
config = ${configInPython(colouring)}
view = colour_features([features], [seen.grid], config).pictures[0]
kept = view.foreground.flatten()
reference = view.scores[..., list(config.components)].flatten(0, 1)[kept]
scores = fit_pca(others[kept], 8).project(others, config.whiten)[kept]
print(align_components(reference, scores))  # order, signs, correlations`;
}
