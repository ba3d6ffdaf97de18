/* What is put in the place of something, which layer is shown, and what the brush chooses. */
import { select } from "../../page/selection.js";
import { choice, slider, toggle } from "../../ui/controls.js";
import { el } from "../../ui/dom.js";
import { KINDS } from "./edits.js";
import { hasKind, layerOf, textsOf } from "./state.js";

/** @typedef {import("./state.js").State} State */
/** @typedef {import("./state.js").Brush} Brush */

/**
 * @param {State} state
 * @param {(change: Partial<State>) => void} update
 * @param {{ more: () => unknown, references: { node: HTMLElement, draw: () => void } }} parts
 */
export function createControls(state, update, { more, references }) {
  const value = choice("What is put there", KINDS, state.kind, (kind) => update({ kind }));
  const layer = slider("Layer shown", {
    max: 11,
    value: 11,
    oninput: (next) => select({ layer: next }),
  });
  const four = toggle(
    "All four side by side",
    "The same places with each of the four values",
    state.isFour,
    (isFour) => {
      update({ isFour });
      if (isFour) more();
    },
  );
  return {
    node: el(
      "div",
      { class: "inside-controls" },
      el("span", { class: "inside-label", text: "Put there" }),
      value.node,
      references.node,
      four.node,
      layer.node,
    ),
    draw() {
      const { view } = state;
      if (!view) return;
      layer.limit(view.layers - 1);
      layer.set(layerOf(view));
      value.set(state.kind);
      references.draw();
      four.set(state.isFour);
      four.node.disabled = !state.isFour && !hasKind(textsOf(state));
    },
  };
}

/** @type {readonly (readonly [Brush, string])[]} */
const BRUSHES = [
  ["patches", "Change"],
  ["who", "Who"],
  ["whom", "Whom"],
];

/**
 * What a stroke chooses, and what belongs to it.
 *
 * @param {State} state
 * @param {(change: Partial<State>) => void} update
 * @param {{ node: HTMLElement, draw: () => void }} knockout
 */
export function createBrushes(state, update, knockout) {
  const brushes = choice("Brush", BRUSHES, state.brush, (brush) => update({ brush }));
  const block = slider("Entering block", {
    max: 11,
    oninput: (next) => update({ block: next }),
  });
  return {
    node: el(
      "div",
      { class: "inside-stack inside-brushes" },
      el(
        "div",
        { class: "inside-controls" },
        el("span", { class: "inside-label", text: "Brush" }),
        brushes.node,
        block.node,
      ),
      knockout.node,
    ),
    draw() {
      const { view, brush } = state;
      if (!view) return;
      brushes.set(brush);
      block.limit(view.layers - 1);
      block.set(Math.min(state.block, view.layers - 1));
      block.node.hidden = brush !== "patches";
      knockout.node.hidden = brush === "patches";
      knockout.draw();
    },
  };
}
