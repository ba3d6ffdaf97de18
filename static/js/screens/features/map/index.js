/* Clusters and map: k-means of the patches on the picture, and the same patches as points of a map,
   by PCA at once, by UMAP when the server has warmed it up. Hovering either marks both. */
import { fillLesson } from "../../../page/lesson.js";
import { kept } from "../../../page/link.js";
import { isSparing } from "../../../page/screens.js";
import { el } from "../../../ui/dom.js";
import { percent, place } from "../../../ui/format.js";
import { keyHints } from "../../../ui/key-hints.js";
import { featuresUrl, fetchClusters, fetchFeatures, fetchMap } from "../fetching.js";
import { KEYS } from "../panels.js";
import { patchOf } from "../state.js";
import { createChips } from "./chips.js";
import { createControls } from "./controls.js";
import { createExports } from "./exports.js";
import { createPictures } from "./pictures.js";
import { clustersUrl, flatUrl, umapUrl } from "./urls.js";
import { createWarmUp } from "./warm-up.js";

/** @typedef {import("../state.js").View} View */
/** @typedef {{ k: number, method: "pca" | "umap", colour: "clusters" | "pca", neighbours: number, distance: number }} Choice */

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

const WARNING =
  "Neighbours on the map are alike; distances between far groups, and the sizes of groups, mean little.";
/** @type {import("../state.js").Colouring} */
const RAINBOW = { preset: "all-patches", flip: false, changes: {} };

/** @param {import("../state.js").Screen} screen @returns {import("../state.js").Way} */
export function mapWay(screen) {
  const { state } = screen;
  const change = (/** @type {Partial<PatchMap>} */ next) =>
    screen.update({ map: { ...state.map, ...next } });
  const pictures = createPictures(screen),
    chips = createChips((alone) => change({ alone })),
    controls = createControls(screen, change),
    warmUp = createWarmUp(screen);
  const story = el("p", { class: "inside-details", "aria-live": "polite" });
  const node = el(
    "div",
    { class: "inside-left inside-way" },
    el(
      "div",
      { class: "inside-pair" },
      el("div", { class: "inside-left" }, pictures.left, chips.node, story),
      el(
        "div",
        { class: "inside-left" },
        pictures.right,
        el("p", { class: "inside-quiet", text: WARNING }),
      ),
    ),
    keyHints(KEYS),
    ...controls.nodes,
  );

  /** @param {import("../state.js").Request} request */
  async function load(request) {
    const { view, layer, isOvertaken } = request,
      { choice, loaded } = state.map;
    if (!isSparing()) await screen.lookAround();
    const [clusters, flat, rainbow] = await Promise.all([
      fetchClusters(clustersUrl(view, layer, choice)),
      fetchMap(flatUrl(view, layer)),
      choice.colour === "pca" ? fetchFeatures(featuresUrl(view, layer, RAINBOW)) : null,
    ]);
    if (isOvertaken()) return;
    const wantsUmap = choice.method === "umap" && state.around.umap === "ready";
    const next = { view, layer, choice, clusters, rainbow, map: flat };
    change({ ...asBefore(loaded, next, wantsUmap), isMapping: wantsUmap });
    fillLesson("features", { k: choice.k, explained: percent(clusters.facts.explained) });
    warmUp.watch();
    if (!wantsUmap) return;
    const umap = await fetchMap(umapUrl(view, layer, choice));
    if (!isOvertaken()) change({ loaded: { ...next, map: umap }, isMapping: false });
  }

  /**
   * What of the layer as it was shown can stay: the cluster that is alone, and a map until UMAP has made
   * another.
   *
   * @param {LoadedMap | null} loaded
   * @param {LoadedMap} next
   * @param {boolean} wantsUmap
   */
  function asBefore(loaded, next, wantsUmap) {
    if (loaded?.view !== next.view || loaded.layer !== next.layer)
      return { loaded: next, alone: null };
    const { alone } = state.map,
      isThere = alone !== null && alone < next.clusters.facts.sizes.length;
    return {
      loaded: wantsUmap ? { ...next, map: loaded.map } : next,
      alone: isThere ? alone : null,
    };
  }

  function draw() {
    const { loaded } = state.map;
    if (!loaded) return;
    const { facts, labels } = loaded.clusters,
      { index } = patchOf(state, facts.grid),
      cluster = labels[index];
    pictures.draw(loaded);
    chips.draw(loaded, state.map.alone);
    controls.draw(state);
    story.textContent =
      `Patch ${place(index, facts.grid)} is in cluster ${cluster}, with ${facts.sizes[cluster] - 1} others. ` +
      `The ${facts.sizes.length} clusters explain ${percent(facts.explained)} of the variance between patches (k-means, seed ${facts.seed}).`;
  }

  return {
    node,
    load,
    draw,
    isReady: () => state.map.loaded !== null,
    resized: pictures.measure,
    needs: ({ view, layer }) => [clustersUrl(view, layer, state.map.choice), flatUrl(view, layer)],
    exposed: () => ({ ...exposed(state), ...pictures.exposed() }),
    exports: createExports(state, pictures.layers),
  };
}

/** @param {import("../state.js").State} state */
function exposed({ map: { loaded, alone }, around }) {
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
