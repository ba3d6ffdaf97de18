/* Which way of looking, and at which layer. */
import { select, selection } from "../../page/selection.js";
import { choice, slider } from "../../ui/controls.js";
import { el } from "../../ui/dom.js";

/** @typedef {import("./state.js").Mode} Mode */

export const MODES = /** @type {const} */ ([
  ["colours", "Colours"],
  ["depth", "Through depth"],
  ["pair", "Two pictures"],
  ["map", "Clusters and map"],
  ["compare", "Compare"],
]);

/** @param {(mode: Mode) => void} onmode @param {Mode} mode */
export function createControls(onmode, mode) {
  const modes = choice("Way of looking", MODES, mode, onmode);
  const layer = slider("Layer", { max: 11, value: 11, oninput: (next) => select({ layer: next }) });
  return {
    node: el("div", { class: "inside-controls inside-ways" }, modes.node, layer.node),
    /** @param {Mode} next */
    open(next) {
      modes.set(next);
      layer.rename(next === "compare" ? "First layer" : "Layer");
    },
    /** @param {import("./state.js").View} view */
    draw(view) {
      layer.limit(view.layers - 1);
      layer.set(selection.layer ?? view.layers - 1);
    },
  };
}
