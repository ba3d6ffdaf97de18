/* What the screen asks the server for: the layer that is shown, its neighbours ahead of time, and what
   only follows when something rests. */
import { fetchScene, sceneUrl } from "../../page/scenes.js";
import { isSparing, mayFetchAhead } from "../../page/screens.js";
import { selection } from "../../page/selection.js";
import { debounce } from "../../ui/frame.js";
import { queryOf } from "./state.js";

/** @typedef {import("./state.js").State} State */
/** @typedef {import("./state.js").View} View */

const REST = 200; // ms without a change

/**
 * @param {State} state
 * @param {(change: Partial<State>) => void} update
 */
export function createLoading(state, update) {
  /** The view whose numbers were asked for last. @type {View | null} */
  let wanted = null;
  let came = 0;

  const isCurrent = (/** @type {View} */ view, /** @type {number} */ layer) =>
    view === wanted && layer === selection.layer;

  /** The layer of a view; with it, if it is another one, the view itself. @param {View} view */
  async function load(view) {
    wanted = view;
    const layer = selection.layer ?? view.layers - 1;
    const [scene, overview] = await Promise.all([
      fetchLayer(view, layer),
      fetchOverview(view, { row: selection.row, col: selection.col }),
    ]);
    if (!isCurrent(view, layer)) return; // overtaken
    const other =
      view.key !== state.view?.key
        ? { rollout: null, hovered: null, target: null, held: false, back: null }
        : {};
    update({ view, scene, overview, heads: null, ...other });
    if (state.rolled) await loadRollout();
    if (isSparing()) return; // the newcomer's line is spared
    rest();
    await fetchNeighbours(view, layer);
  }

  /**
   * The neighbours one after the other, those further on in the direction of travel first, so that the
   * next step is instant.
   *
   * @param {View} view
   * @param {number} layer
   */
  async function fetchNeighbours(view, layer) {
    if (!mayFetchAhead()) return;
    const step = layer < came ? -1 : 1;
    came = layer;
    for (const near of [layer + step, layer + 2 * step, layer - step]) {
      if (near < 0 || near >= view.layers) continue;
      await fetchLayer(view, near).catch(() => null);
      if (!isCurrent(view, layer)) return;
    }
  }

  /** The layer and the query rest: numbers over all queries, and the query in all layers. */
  const rest = debounce(async () => {
    const { view, scene } = state;
    if (!view || !scene || isSparing()) return;
    const query = queryOf(state);
    const [heads, overview] = await Promise.all([
      fetchHeads(view, scene.facts.layer).catch(() => state.heads),
      fetchOverview(view, query).catch(() => state.overview),
    ]);
    const same = queryOf(state).token === query.token;
    if (state.view !== view || state.scene !== scene || !same) return; // overtaken
    if (heads !== state.heads || overview !== state.overview) update({ heads, overview });
    await loadBack(view);
  }, REST);

  /** What a held target attends to itself. @param {View} view */
  async function loadBack(view) {
    if (!state.ends || !state.held || !state.target || state.back) return;
    const [row, col] = state.target;
    const back = await fetchOverview(view, { row, col }).catch(() => null);
    const same = state.target?.[0] === row && state.target[1] === col;
    if (back && same && state.view === view) update({ back });
  }

  async function loadRollout() {
    if (!state.view) return;
    const { view } = state;
    const rollout = await fetchRollout(view);
    if (state.view === view) update({ rollout });
  }

  return { load, loadRollout, rest };
}

/** @param {View} view @param {number} layer @returns {Promise<import("./state.js").LayerScene>} */
const fetchLayer = ({ key }, layer) => fetchScene(sceneUrl(key, `attention/${layer}`));

/** @param {View} view @param {number} layer @returns {Promise<import("./state.js").HeadsScene>} */
const fetchHeads = ({ key }, layer) => fetchScene(sceneUrl(key, `heads/${layer}`));

/** @param {View} view @returns {Promise<import("./state.js").RolloutScene>} */
const fetchRollout = ({ key }) => fetchScene(sceneUrl(key, "rollout"));

/**
 * @param {View} view
 * @param {{ row: number | null, col: number | null }} query
 * @returns {Promise<import("./state.js").OverviewScene>}
 */
function fetchOverview(view, { row, col }) {
  const [h, w] = view.grid;
  const inside = row !== null && col !== null && row < h && col < w;
  return fetchScene(sceneUrl(view.key, "overview", inside ? { row, column: col } : {}));
}
