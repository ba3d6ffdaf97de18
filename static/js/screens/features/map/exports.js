/* What can be taken of clusters and map. */
import { NotShownYet } from "../../../page/errors.js";
import { openInPython } from "../../../page/python.js";
import { sceneUrl } from "../../../page/scenes.js";
import { cellOf, csvOf } from "../arithmetic.js";
import { sideBySide } from "../panels.js";
import { clustersUrl, umapUrl } from "./urls.js";

/** @typedef {import("../state.js").State} State */
/** @typedef {import("./state.js").LoadedMap} LoadedMap */
/** @typedef {{ picture: HTMLImageElement, overlay: HTMLCanvasElement, map: HTMLCanvasElement }} Layers */

/**
 * @param {State} state
 * @param {() => Layers} layers
 * @returns {import("../../../page/export.js").Exports}
 */
export const createExports = (state, layers) => ({
  png() {
    const { picture, overlay, map } = layers();
    return sideBySide([
      [picture, overlay, state.map.strength],
      [map, map, 0],
    ]);
  },
  npz() {
    const { view, layer, choice, map } = shown(state),
      form = { form: "npz" };
    return map.facts.method === "umap"
      ? umapUrl(view, layer, choice, form)
      : clustersUrl(view, layer, choice, form);
  },
  figure(query) {
    const { view, layer, clusters } = shown(state),
      { k, seed } = clusters.facts;
    return sceneUrl(view.key, "print/clusters", { layer, k, seed, ...query });
  },
  csv: () => table(shown(state)),
  python: () => lines(shown(state)),
});

/** @param {State} state */
function shown({ map }) {
  if (!map.loaded) throw new NotShownYet();
  return map.loaded;
}

/** A line a patch. @param {Pick<LoadedMap, "clusters" | "map">} loaded */
export function table({ clusters, map }) {
  const { method } = map.facts;
  return csvOf(
    ["row", "column", "cluster", `${method}_0`, `${method}_1`],
    [...clusters.labels].map((cluster, patch) => [
      ...cellOf(patch, clusters.facts.grid),
      cluster,
      map.points[2 * patch],
      map.points[2 * patch + 1],
    ]),
  );
}

/** @param {LoadedMap} loaded */
function lines({ view, layer, clusters, map, choice }) {
  const { k, seed } = clusters.facts,
    { neighbours = choice.neighbours, min_distance: distance = choice.distance } =
      map.facts.parameters;
  const umap = `

from dino_core.analysis.projection import umap_map

points = umap_map(features.numpy(), points.numpy(), ${neighbours}, ${distance}, ${seed})`;
  return `${openInPython(view)}

from dino_core.analysis.clustering import kmeans
from dino_core.analysis.pca import fit_pca
from dino_core.analysis.similarity import directions

features = directions(seen.patches(layer=${layer}))  # [patches, channels], length 1
clusters = kmeans(features.numpy(), ${k}, ${seed})
print(clusters.sizes, clusters.explained)
points = fit_pca(features, 2).project(features)  # the map, [patches, 2]
print(points[:3])${map.facts.method === "umap" ? umap : ""}`;
}
