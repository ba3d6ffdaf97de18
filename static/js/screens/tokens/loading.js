/* What the screen asks the server for: the part that is open first, then what the lesson tells of the
   others; the positions are large, and wait for a click. */
import { chartForm, onTheme } from "../../charts/theme.js";
import { bus } from "../../page/bus.js";
import { connection } from "../../page/connection.js";
import { NetworkError } from "../../page/errors.js";
import { fetchScene, requestJson, sceneUrl } from "../../page/scenes.js";
import { currentScreen } from "../../page/screens.js";
import { el } from "../../ui/dom.js";
import { unfold } from "./embed.js";

/** @typedef {import("./state.js").State} State */
/** @typedef {import("./state.js").View} View */
/** @typedef {import("./state.js").PartName} PartName */

export const PATHS = {
  patches: "tokens/patches",
  positions: "tokens/positions",
  blocks: "tokens/blocks",
};

/**
 * @param {State} state
 * @param {import("./state.js").Update} update
 * @param {import("../../page/screens.js").Page} page
 */
export function createLoading(state, update, page) {
  /**
   * One part of a picture, unless it is there or the page has gone on.
   *
   * @param {PartName} part
   * @param {View} view
   */
  async function loadPart(part, view) {
    if (state[part]?.view.key === view.key) return;
    const change = await LOADERS[part](view);
    if (state.view === view) update(change);
  }

  /** The charts follow when the numbers are there and somebody looks. @param {View} view */
  async function loadCharts(view) {
    if (currentScreen() !== page.name) return;
    const url = sceneUrl(view.key, PATHS.blocks, { form: chartForm() });
    /** @type {NonNullable<State["charts"]>} */
    const charts = await requestJson(url);
    if (state.view === view) update({ charts });
  }

  /** What is open of the page's picture. */
  async function load() {
    const { view, part } = state;
    if (!view) return;
    await loadPart(part, view);
    for (const other of /** @type {const} */ (["patches", "blocks"]))
      if (other !== part) loadPart(other, view).catch(() => {}); // the lesson goes without
    if (part === "blocks" && !state.charts) await loadCharts(view);
  }

  const again = () => page.run(load);
  onTheme(() => {
    if (!state.charts) return;
    update({ charts: null });
    void again();
  });
  bus.on("screen", ({ name }) => {
    if (name === page.name && !state.charts) void again();
  });
  return { load };
}

/** @type {Record<PartName, (view: View) => Promise<Partial<State>>>} */
const LOADERS = {
  async patches(view) {
    /** @type {Promise<import("./state.js").PatchesScene>} */
    const asked = fetchScene(sceneUrl(view.key, PATHS.patches));
    const [scene, source] = await Promise.all([
      asked,
      connection.patiently(() => loadPicture(sceneUrl(view.key, "source.jpg"))),
    ]);
    return { patches: { view, scene, source, pixels: unfold(scene) } };
  },
  async positions(view) {
    /** @type {import("./state.js").PositionsScene} */
    const scene = await fetchScene(sceneUrl(view.key, PATHS.positions));
    return { positions: { view, scene }, cell: null };
  },
  async blocks(view) {
    /** @type {import("./state.js").BlocksScene} */
    const scene = await fetchScene(sceneUrl(view.key, PATHS.blocks));
    return { blocks: { view, scene }, charts: null };
  },
};

/** @param {string} url @returns {Promise<HTMLImageElement>} */
function loadPicture(url) {
  return new Promise((resolve, reject) => {
    /** @type {HTMLImageElement} */
    const image = el("img", {
      onload: () => resolve(image),
      onerror: () => reject(new NetworkError()),
      src: url,
    });
  });
}
