/* Clusters and map: k-means of the patches on the picture, and the same patches as points of a map,
   by PCA at once, by UMAP when the server has warmed it up. Hovering either marks both. */
import { fillLesson } from "../../../page/lesson.js";
import { isSparing } from "../../../page/screens.js";
import { el } from "../../../ui/dom.js";
import { percent } from "../../../ui/format.js";
import { keyHints } from "../../../ui/key-hints.js";
import { featuresUrl, fetchClusters, fetchFeatures, fetchMap } from "../fetching.js";
import { KEYS } from "../panels.js";
import { patchOf } from "../state.js";
import { createChips } from "./chips.js";
import { createControls } from "./controls.js";
import { createExports } from "./exports.js";
import { createPictures } from "./pictures.js";
import { asBefore, clusterSentence, exposed } from "./state.js";
import { clustersUrl, flatUrl, umapUrl } from "./urls.js";
import { createWarmUp } from "./warm-up.js";

/** @typedef {import("./state.js").LoadedMap} LoadedMap */
/** @typedef {import("./state.js").PatchMap} PatchMap */

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
      { choice } = state.map;
    if (!isSparing()) await screen.lookAround();
    const [clusters, flat, rainbow] = await Promise.all([
      fetchClusters(clustersUrl(view, layer, choice)),
      fetchMap(flatUrl(view, layer)),
      choice.colour === "pca" ? fetchFeatures(featuresUrl(view, layer, RAINBOW)) : null,
    ]);
    if (isOvertaken()) return;
    const wantsUmap = choice.method === "umap" && state.around.umap === "ready";
    const next = { view, layer, choice, clusters, rainbow, map: flat };
    change({ ...asBefore(state.map, next, wantsUmap), isMapping: wantsUmap });
    fillLesson("features", { k: choice.k, explained: percent(clusters.facts.explained) });
    warmUp.watch();
    if (!wantsUmap) return;
    const umap = await fetchMap(umapUrl(view, layer, choice));
    if (!isOvertaken()) change({ loaded: { ...next, map: umap }, isMapping: false });
  }

  function draw() {
    const { loaded } = state.map;
    if (!loaded) return;
    const { index } = patchOf(state, loaded.clusters.facts.grid);
    pictures.draw(loaded);
    chips.draw(loaded, state.map.alone);
    controls.draw(state);
    story.textContent = clusterSentence(loaded, index);
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
