/* What a comparison asks the server for: the second model's picture, where there is one, and the scenes
   of both layers. */
import { fillLesson } from "../../../page/lesson.js";
import { recipeOf, rememberSecond } from "../../../page/reopening.js";
import { requestJson, sceneUrl } from "../../../page/scenes.js";
import { isSparing } from "../../../page/screens.js";
import { comparisonUrl, fetchComparison, fetchLikeness, fetchPatches } from "../fetching.js";

/** @typedef {import("./state.js").Compare} Compare */
/** @typedef {import("../state.js").View} View */
/** @typedef {import("../state.js").Second} Second */

/**
 * @param {import("../state.js").Screen} screen
 * @param {(next: Partial<Compare>) => void} change
 */
export function createLoading(screen, change) {
  const { state } = screen;
  /** @param {import("../state.js").Request} request */
  async function load(request) {
    const { view, layer, isOvertaken } = request;
    if (!isSparing()) {
      await chooseModel(request);
      if (isOvertaken()) return;
    }
    const { second } = state.compare,
      { colouring } = state,
      other = second ?? view;
    const secondLayer = layerOf(state.compare, { view, layer, other });
    if (secondLayer !== state.compare.secondLayer) change({ secondLayer });
    /** @type {import("../fetching.js").Query} */
    const query = second ? { second: second.key } : {};
    const [scene, likeness, patches, others] = await Promise.all([
      fetchComparison(comparisonUrl({ view, layer, colouring, secondLayer, second })),
      fetchLikeness(sceneUrl(view.key, "likeness", query)),
      fetchPatches(view, layer),
      fetchPatches(other, secondLayer),
    ]);
    if (isOvertaken()) return;
    const made = { view, second, layer, secondLayer, colouring };
    change({ loaded: { ...made, scene, table: likeness, patches, others } });
    fillLesson("features", {
      cka: scene.facts.cka.toFixed(3),
      ckabiased: scene.facts.cka_biased.toFixed(3),
      layers: `${layer} and ${secondLayer}`,
    });
  }

  /**
   * The picture in the second model, where another one was chosen.
   *
   * @param {import("../state.js").Request} request
   */
  async function chooseModel({ view, isOvertaken }) {
    const { models } = await screen.lookAround();
    if (isOvertaken()) return;
    const wanted = state.compare.model,
      model = models.some(([name]) => name === wanted) && wanted !== view.model ? wanted : null;
    const { second } = state.compare;
    // That of the page itself is remembered: another one may be on its way there.
    if (!model) change({ model: wanted === view.model ? wanted : null, second: null });
    if (!model || (second?.first === view.key && second.model === model)) return;
    /** @type {Omit<Second, "first">} */
    const opened = await requestJson(
      sceneUrl(view.key, "second", { model }),
      { method: "POST" },
      { repeatable: true },
    );
    const origin = recipeOf(view.key);
    if (origin) rememberSecond(opened, origin);
    if (!isOvertaken()) change({ model, second: { ...opened, first: view.key } });
  }
  return load;
}

/**
 * The second layer that was chosen, as far as there is one; else the same in another model, and the
 * middle one in the same.
 *
 * @param {Compare} compare
 * @param {{ view: View, layer: number, other: View }} shown
 */
function layerOf({ secondLayer, second }, { view, layer, other }) {
  if (secondLayer !== null && secondLayer < other.layers) return secondLayer;
  return Math.min(second ? layer : Math.floor(view.layers / 2), other.layers - 1);
}
