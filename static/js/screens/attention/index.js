/* Attention: what every head of a layer attends to, for the patch under the pointer. */
import { bus } from "../../page/bus.js";
import { keep, kept } from "../../page/link.js";
import { fitSelection, select, selection } from "../../page/selection.js";
import { button, slider, toggle } from "../../ui/controls.js";
import { el } from "../../ui/dom.js";
import { createExports } from "./exports.js";
import { createHeads } from "./heads.js";
import { createLoading } from "./loading.js";
import { createOverview } from "./overview.js";
import { createPair } from "./pair.js";
import { createPicture } from "./picture.js";
import { exposed } from "./exposed.js";
import { createState, queryOf } from "./state.js";

/** @typedef {import("./picture.js").Loaded} Loaded */

/**
 * @param {HTMLElement} root
 * @param {import("../../page/screens.js").Page} page
 * @returns {import("../../page/screens.js").ScreenParts}
 */
export function create(root, page) {
  const { state, update } = createState(render);
  const loading = createLoading(state, update);
  const picture = createPicture(state, (change) => {
    update(change);
    loading.rest();
  });
  const heads = createHeads(),
    overview = createOverview(),
    pair = createPair(),
    take = createExports(state, picture.png);
  const controls = createControls(page, update, loading.loadRollout);
  root.append(
    el(
      "div",
      { class: "inside-columns inside-attention" },
      el("div", { class: "inside-left" }, picture.node, controls.node, picture.keys, take.node),
      el("div", { class: "inside-left" }, heads.node, pair.node, overview.node),
    ),
  );

  /** @param {import("./state.js").State} now @param {Partial<import("./state.js").State>} change */
  function render(now, change) {
    if (!now.scene || !now.view) return;
    const loaded = /** @type {Loaded} */ (now);
    if (change.view) picture.open(now.view);
    controls.draw(loaded);
    picture.draw(loaded);
    heads.draw(loaded);
    pair.draw(loaded);
    if (now.overview) overview.draw(now.overview, queryOf(now));
    page.expose(exposed(loaded));
    if (queryOf(now).kept) take.refresh();
  }

  bus.on("selection", ({ change }) => {
    if (!state.view) return;
    const { view } = state;
    if ("layer" in change && change.layer !== state.scene?.facts.layer)
      page.run(() => loading.load(view));
    else update({});
    loading.rest();
  });

  return {
    show(view) {
      fitSelection(view);
      return loading.load(view);
    },
  };
}

/**
 * @param {import("../../page/screens.js").Page} page
 * @param {(change: Partial<import("./state.js").State>) => void} update
 * @param {() => Promise<void>} loadRollout
 */
function createControls(page, update, loadRollout) {
  const layer = slider("Layer", {
    max: 11,
    value: 11,
    oninput: (value) => select({ layer: value }),
  });
  const strength = slider("Overlay", {
    max: 1,
    step: 0.05,
    value: Number(kept("overlay") ?? 0.75),
    say: (value) => `${Math.round(100 * value)} %`,
    oninput: (value) => {
      keep("overlay", String(value));
      update({ strength: value });
    },
  });
  const rollout = toggle(
    "Rollout",
    "The class token's attention followed through all layers",
    kept("rollout") === "1",
    (rolled) => {
      keep("rollout", rolled ? "1" : null);
      update({ rolled });
      if (rolled) page.run(loadRollout);
    },
  );
  update({ strength: Number(kept("overlay") ?? 0.75), rolled: kept("rollout") === "1" });
  const classToken = button("Class token", () => select({ row: null, col: null }));
  return {
    node: el(
      "div",
      { class: "inside-controls" },
      layer.node,
      strength.node,
      classToken,
      rollout.node,
    ),
    /** @param {Loaded} state */
    draw({ view, scene }) {
      if (view) layer.limit(view.layers - 1);
      layer.set(selection.layer ?? scene.facts.layer);
    },
  };
}
