/* What the screen asks the server for: the masks of a picture, seed and share, then their charts. */
import { chartForm, onTheme } from "../../charts/theme.js";
import { fetchScene, requestJson, sceneUrl } from "../../page/scenes.js";
import { bus } from "../../page/bus.js";
import { currentScreen } from "../../page/screens.js";

/** @typedef {import("./state.js").State} State */

/**
 * @param {State} state
 * @param {import("./state.js").Update} update
 * @param {import("../../page/screens.js").Page} page
 */
export function createLoading(state, update, page) {
  async function load() {
    const { view, ratio } = state;
    if (!view) return;
    const isCurrent = () => state.view === view && state.ratio === ratio;
    /** @type {import("./state.js").MasksScene} */
    const scene = await fetchScene(sceneUrl(view.key, "masks", { seed: view.seed, ratio }));
    if (!isCurrent()) return; // overtaken
    if (scene !== state.scene || view !== state.shown) update({ scene, shown: view, charts: null });
    await loadCharts();
  }

  /** The charts of the scene that is shown, once somebody looks. */
  async function loadCharts() {
    const { shown, scene } = state;
    if (!shown || !scene || currentScreen() !== page.name) return;
    const { seed, ratio } = scene.facts;
    /** @type {NonNullable<State["charts"]>} */
    const charts = await requestJson(
      sceneUrl(shown.key, "masks", { seed, ratio, form: chartForm() }),
    );
    if (state.scene === scene) update({ charts });
  }

  onTheme(() => {
    if (state.charts) void page.run(loadCharts);
  });
  bus.on("screen", ({ name }) => {
    if (name === page.name && !state.charts) void page.run(loadCharts);
  });
  return { load };
}
