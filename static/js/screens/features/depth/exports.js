/* What can be taken of all layers. */
import { NotShownYet } from "../../../page/errors.js";
import { openInPython } from "../../../page/python.js";
import { csvOf } from "../arithmetic.js";
import { configInPython } from "../in-python.js";
import { sideBySide } from "../panels.js";
import { depthUrl, layersPrintUrl } from "./urls.js";

/** @typedef {import("../state.js").State} State */
/** @typedef {import("./state.js").LoadedDepth} LoadedDepth */

/**
 * @param {State} state
 * @param {() => import("../../../ui/patch-picture.js").PatchPicture[]} layers
 * @returns {import("../../../page/export.js").Exports}
 */
export const createExports = (state, layers) => ({
  png: () =>
    sideBySide(
      layers().map(({ picture, overlay }) => [
        picture,
        overlay,
        Number(overlay.style.opacity || 1),
      ]),
    ),
  npz() {
    const { view, colouring, choice } = shown(state);
    return depthUrl(view, colouring, choice, { form: "npz" });
  },
  figure: (query) => layersPrintUrl(shown(state), query),
  csv: () => table(shown(state)),
  python: () => lines(shown(state)),
});

/** @param {State} state */
function shown({ depth }) {
  if (!depth.loaded) throw new NotShownYet();
  return depth.loaded;
}

/** A line a layer. @param {Pick<LoadedDepth, "scene" | "clusters" | "largest">} loaded */
export function table({ scene: { facts }, clusters, largest }) {
  const { cosine, variance, best, agreement } = facts;
  return csvOf(
    ["layer", "cosine", "variance", "best", "agreement", "clusters_kept", "largest_attention"],
    cosine.map((_, i) => [
      ...[i, cosine[i], variance[i], best[i], agreement[i], clusters.facts.kept[i], largest[i]],
    ]),
  );
}

/** @param {LoadedDepth} loaded */
function lines({ view, colouring, choice, clusters, asked: { row, column, head } }) {
  const { k, seed } = clusters.facts,
    query = row < 0 ? "None" : `(${row}, ${column})`;
  return `from dataclasses import replace

${openInPython(view)}

from dino_core.analysis.depth import attention_by_layer, clusters_by_layer, layers_in_colours
from dino_core.config import PCA_PRESETS

config = ${configInPython(colouring)}
family = layers_in_colours(seen, config, method="${choice.align}", robust=${choice.robust ? "True" : "False"})
print([round(view.cosine, 2) for view in family.maps])  # with the layer that each was brought to
colours = family.maps[8].colours  # [h, w, 3], 0 to 1
labels = [layer.labels for layer in clusters_by_layer(seen, ${k}, ${seed})]  # [h, w] each
attention = attention_by_layer(seen, ${query}, head=${head < 0 ? "None" : head})  # [layers, h, w]`;
}
