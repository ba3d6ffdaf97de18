/* Features: four ways of looking at what a layer has made of the patches, under one selection. */
import { bus } from "../../page/bus.js";
import { ServerError } from "../../page/errors.js";
import { exportBar } from "../../page/export.js";
import { keep, kept } from "../../page/link.js";
import { requestJson, sceneUrl } from "../../page/scenes.js";
import { fitSelection, select, selection } from "../../page/selection.js";
import { choice, slider } from "../../ui/controls.js";
import { el } from "../../ui/dom.js";
import { coloursWay, initialColours } from "./colours/index.js";
import { compareWay, initialCompare } from "./compare/index.js";
import { createLoading } from "./loading.js";
import { initialMap, mapWay } from "./map/index.js";
import { initialPair, pairWay } from "./pair/index.js";
import { createPointing } from "./pointing.js";
import { createState, patchOf } from "./state.js";

/** @typedef {import("./state.js").State} State */
/** @typedef {import("./state.js").Mode} Mode */

const MODES = /** @type {const} */ ([
  ["colours", "Colours"],
  ["pair", "Two pictures"],
  ["map", "Clusters and map"],
  ["compare", "Compare"],
]);
const FILES = ["PNG", "NPZ", "CSV"];

/**
 * @param {HTMLElement} root
 * @param {import("../../page/screens.js").Page} page
 * @returns {import("../../page/screens.js").ScreenParts}
 */
export function create(root, page) {
  const { state, update } = createState(initialParts(), render);
  const screen = createScreen(root, page, { state, update, reload });
  const ways = {
    colours: coloursWay(screen),
    pair: pairWay(screen),
    map: mapWay(screen),
    compare: compareWay(screen),
  };
  const way = () => ways[state.mode];
  const loading = createLoading(screen, way),
    controls = createControls((mode) => {
      open(mode);
      reload();
    }, state.mode),
    take = createTake(way);
  root.append(controls.node, ...Object.values(ways).map(({ node }) => node), take.node);
  open(state.mode);

  /** @param {Mode} mode */
  function open(mode) {
    keep("features", mode === "colours" ? null : mode);
    for (const [name, { node }] of Object.entries(ways)) node.hidden = name !== mode;
    controls.open(mode);
    update({ mode });
  }

  function reload() {
    void page.run(loading.load);
  }

  /** @param {State} now */
  function render(now) {
    if (!now.view) return;
    const shown = way();
    shown.draw();
    take.enable(shown.isReady());
    const { row, col } = patchOf(now, now.view.grid),
      { key } = now.view;
    page.expose({ key, mode: now.mode, layer: selection.layer, row, col, ...shown.exposed() });
    if (!now.hovered && shown.isReady()) take.refresh();
  }

  new ResizeObserver(() => {
    if (!screen.isSeen()) return;
    loading.resume();
    way().resized?.();
  }).observe(root);
  bus.on("selection", ({ change }) => {
    if (!state.view) return;
    if ("layer" in change) loading.follow();
    controls.draw(state.view);
    update({});
  });

  return {
    show(view) {
      fitSelection(view);
      state.view = view; // what is shown stays until this one's numbers are here
      state.hovered = null;
      controls.draw(view);
      return loading.load();
    },
  };
}

function initialParts() {
  const mode = MODES.find(([name]) => name === kept("features"))?.[0] ?? "colours";
  return {
    mode,
    colours: initialColours(),
    pair: initialPair(),
    map: initialMap(),
    compare: initialCompare(),
  };
}

/**
 * @param {HTMLElement} root
 * @param {import("../../page/screens.js").Page} page
 * @param {Pick<import("./state.js").Screen, "state" | "update" | "reload">} parts
 * @returns {import("./state.js").Screen}
 */
function createScreen(root, page, { state, update, reload }) {
  return {
    state,
    update,
    reload,
    run: page.run,
    isSeen: () => root.offsetParent !== null,
    pointing: createPointing(state, update),
    async lookAround() {
      if (!state.view) return state.around;
      try {
        state.around = await requestJson(sceneUrl(state.view.key, "around"));
      } catch (error) {
        if (!(error instanceof ServerError)) throw error; // else what is known stays
      }
      return state.around;
    },
  };
}

/** @param {(mode: Mode) => void} onmode @param {Mode} mode */
function createControls(onmode, mode) {
  const modes = choice("Way of looking", MODES, mode, onmode);
  const layer = slider("Layer", { max: 11, value: 11, oninput: (next) => select({ layer: next }) });
  return {
    node: el("div", { class: "inside-controls inside-ways" }, modes.node, layer.node),
    /** @param {Mode} next */
    open: (next) => layer.rename(next === "compare" ? "First layer" : "Layer"),
    /** @param {import("./state.js").View} view */
    draw(view) {
      layer.limit(view.layers - 1);
      layer.set(selection.layer ?? view.layers - 1);
    },
  };
}

/** The files and lines of the open way. @param {() => import("./state.js").Way} way */
function createTake(way) {
  const none = () => {
    throw new Error("This way of looking has no such file.");
  };
  const { node, refresh } = exportBar("features", {
    png: () => (way().exports.png ?? none)(),
    npz: () => (way().exports.npz ?? none)(),
    csv: () => (way().exports.csv ?? none)(),
    python: () => (way().exports.python ?? none)(),
  });
  return {
    node,
    refresh,
    /** @param {boolean} ready */
    enable(ready) {
      for (const one of node.querySelectorAll("button"))
        if (FILES.includes(one.textContent ?? "")) one.disabled = !ready;
    },
  };
}
