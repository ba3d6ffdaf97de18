/* When the open way of looking loads: at once while it is seen, when the layer rests while it is not;
   and what is fetched ahead. */
import { fillLesson } from "../../page/lesson.js";
import { fetchScene } from "../../page/scenes.js";
import { isSparing, mayFetchAhead } from "../../page/screens.js";
import { selection } from "../../page/selection.js";

const REST = 700; // ms: another screen may go through many layers
const PATIENCE = 150; // ms until what is shown is said to be older than what is asked for

/**
 * @param {import("./state.js").Screen} screen
 * @param {() => import("./state.js").Way} openWay
 */
export function createLoading(screen, openWay) {
  const { state } = screen;
  let loads = 0,
    came = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let waiting;
  let isWaiting = false;
  /** @type {HTMLElement | null} */
  let dimmed = null;

  /** Loads what the open way shows. */
  async function load() {
    const { view } = state;
    if (!view) return;
    const mine = ++loads,
      layer = selection.layer ?? view.layers - 1,
      way = openWay();
    const isOvertaken = () => mine !== loads || view !== state.view;
    clearTimeout(waiting);
    isWaiting = false;
    if (dimmed !== way.node) setLate(dimmed, false);
    dimmed = way.node;
    const late = setTimeout(() => setLate(way.node, true), PATIENCE);
    try {
      await way.load({ view, layer, isOvertaken });
    } finally {
      clearTimeout(late);
      if (!isOvertaken()) setLate(way.node, false);
    }
    if (isOvertaken()) return;
    fillLesson("features", { d: view.dim, p: view.grid[0] * view.grid[1], layer });
    if (isSparing()) return; // the newcomer's line is spared
    if (screen.isSeen() && state.around.umap === "cold") void screen.run(screen.lookAround);
    void fetchNeighbours({ view, layer, isOvertaken }, way);
  }

  /**
   * The neighbours one request after the other, those further on in the direction of travel first, so
   * that the next step is instant and nothing that is waited for has to queue.
   *
   * @param {import("./state.js").Request} request
   * @param {import("./state.js").Way} way
   */
  async function fetchNeighbours({ view, layer, isOvertaken }, way) {
    if (!mayFetchAhead()) return;
    const near = layer < came ? [layer - 1, layer + 1] : [layer + 1, layer - 1];
    came = layer;
    for (const next of near.filter((one) => one >= 0 && one < view.layers))
      for (const url of way.needs({ view, layer: next })) {
        if (isOvertaken()) return;
        await fetchScene(url).catch(() => null);
      }
  }

  return {
    load,

    /** Another layer: at once, or when it rests where nobody looks. */
    follow() {
      if (screen.isSeen()) return screen.reload();
      clearTimeout(waiting);
      isWaiting = true;
      waiting = setTimeout(screen.reload, REST);
    },

    /** Somebody looks again. */
    resume() {
      if (isWaiting) screen.reload();
    },
  };
}

/** What is shown is not yet what is asked for. @param {HTMLElement | null} node @param {boolean} late */
function setLate(node, late) {
  node?.classList.toggle("inside-late", late);
  node?.setAttribute("aria-busy", String(late));
}
