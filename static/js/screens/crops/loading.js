/* What the screen asks the server for: the crops, and many draws like them once "more" is open. */
import { chartForm, onTheme } from "../../charts/theme.js";
import { sentenceOf } from "../../page/errors.js";
import { fetchScene, requestJson, sceneUrl } from "../../page/scenes.js";
import { queryOf, sameQuery } from "./state.js";

/** @typedef {import("./state.js").State} State */

/**
 * @param {State} state
 * @param {import("./state.js").Update} update
 * @param {{ page: import("../../page/screens.js").Page, wantsDraws: () => boolean }} options
 */
export function createLoading(state, update, { page, wantsDraws }) {
  /** @returns {Promise<void>} */
  async function load() {
    const { view } = state,
      query = queryOf(state);
    if (!view) return;
    const isCurrent = () => state.view === view && sameQuery(query, queryOf(state));
    /** @type {Promise<import("./state.js").CropsScene>} */
    const asked = fetchScene(sceneUrl(view.key, "crops", query));
    const scene = await asked.catch(forgive);
    if (!scene || !isCurrent()) return; // overtaken, or asked for anew
    if (scene !== state.scene || view !== state.shown) {
      const { pinned } = state,
        gone = pinned !== null && pinned >= scene.facts.crops.length;
      const complaint = state.scene ? "" : state.complaint;
      const chosen = { hovered: null, pair: null, ...(gone ? { pinned: null } : {}) };
      update({ scene, shown: view, query, draws: null, charts: null, complaint, ...chosen });
    }
    if (wantsDraws()) await loadDraws();
  }

  /**
   * A link may ask for what cannot be: then the first picture is the official one, and says why.
   *
   * @param {unknown} error
   */
  async function forgive(error) {
    if (state.scene || !Object.keys(state.options).length) throw error;
    update({ options: {}, complaint: `${sentenceOf(error)} The official numbers are shown. ` });
    await load();
    return null;
  }

  async function loadDraws() {
    const { scene, shown, query } = state;
    if (!scene || !shown || state.charts) return;
    const url = (/** @type {object} */ more) =>
      sceneUrl(shown.key, "crops/draws", { ...query, ...more });
    /** @type {[Promise<import("./state.js").CropDrawsScene>, Promise<NonNullable<State["charts"]>>]} */
    const asked = [fetchScene(url({})), requestJson(url({ form: chartForm() }))];
    const [draws, charts] = await Promise.all(asked);
    if (state.scene === scene) update({ draws, charts });
  }

  onTheme(() => {
    if (!state.charts) return;
    update({ charts: null });
    void page.run(loadDraws);
  });
  return { load, loadDraws };
}
