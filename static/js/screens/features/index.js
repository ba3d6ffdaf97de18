/* Features: five ways of looking at what a layer has made of the patches, under one selection. */
import { bus } from "../../page/bus.js";
import { takeWanted } from "../../page/checkpoints.js";
import { speakOf } from "../../page/lesson.js";
import { keep } from "../../page/link.js";
import { fitSelection, selection } from "../../page/selection.js";
import { coloursWay } from "./colours/index.js";
import { compareWay } from "./compare/index.js";
import { createControls } from "./controls.js";
import { depthWay } from "./depth/index.js";
import { createLoading } from "./loading.js";
import { initialParts } from "./initial.js";
import { mapWay } from "./map/index.js";
import { pairWay } from "./pair/index.js";
import { createScreen } from "./screen.js";
import { createState, patchOf } from "./state.js";
import { createTake } from "./take.js";

/** @typedef {import("./state.js").State} State */
/** @typedef {import("./state.js").Mode} Mode */

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
    depth: depthWay(screen),
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
    speakOf("features", mode);
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

  bus.on("compare", () => {
    const model = takeWanted();
    if (model === null) return;
    update({ compare: { ...state.compare, model, secondLayer: null, second: null } });
    open("compare");
    if (state.view) reload();
  });
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
