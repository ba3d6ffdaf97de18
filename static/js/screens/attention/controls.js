/* Which layer, how strongly it covers the picture, the class token, and the rollout. */
import { keep, kept } from "../../page/link.js";
import { select, selection } from "../../page/selection.js";
import { button, slider, toggle } from "../../ui/controls.js";
import { el } from "../../ui/dom.js";

/**
 * @param {import("../../page/screens.js").Page} page
 * @param {(change: Partial<import("./state.js").State>) => void} update
 * @param {() => Promise<void>} loadRollout
 */
export function createControls(page, update, loadRollout) {
  const layer = slider("Layer", {
    max: 11,
    value: 11,
    oninput: (value) => select({ layer: value }),
  });
  const strength = slider("Overlay", {
    max: 1,
    step: 0.05,
    value: Number(kept("overlay") ?? 0.75),
    format: (value) => `${Math.round(100 * value)} %`,
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
  const ends = toggle(
    "Two ends",
    "The patch that is kept is the source, the one under the pointer the target",
    kept("ends") === "1",
    (isOn) => {
      keep("ends", isOn ? "1" : null);
      update({ ends: isOn, hovered: null, target: null, held: false, back: null });
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
      ends.node,
    ),
    /** @param {import("./picture.js").Loaded} state */
    draw({ view, scene }) {
      if (view) layer.limit(view.layers - 1);
      layer.set(selection.layer ?? scene.facts.layer);
    },
  };
}
