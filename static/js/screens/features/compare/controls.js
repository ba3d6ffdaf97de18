/* Which layer, and which model, the first is compared with. */
import { pick, slider } from "../../../ui/controls.js";
import { el } from "../../../ui/dom.js";
import { rafThrottle } from "../../../ui/frame.js";

/**
 * @param {import("../state.js").Screen} screen
 * @param {(next: Partial<import("./state.js").Compare>) => void} change
 */
export function createControls({ state, reload }, change) {
  const layer = slider("Second layer", {
    max: 11,
    value: 5,
    oninput: rafThrottle((/** @type {number} */ secondLayer) => {
      change({ secondLayer });
      reload();
    }),
  });
  const models = pick("Second model", [], "", (name) => {
    change({ model: name === state.view?.model ? null : name, secondLayer: null, second: null });
    reload();
  });
  const alone = el("span", {
    class: "inside-quiet",
    text: "Another model can be compared once its weights are on this disk.",
  });
  let filled = "";
  return {
    node: el("div", { class: "inside-controls" }, layer.node, models.node, alone),
    /** @param {import("../state.js").State} now */
    draw({ view, around, compare }) {
      const own = view?.model ?? "",
        isAlone = around.models.length < 2,
        text = `${own} ${around.models.join()}`;
      if (text !== filled) models.fill(around.models, compare.model ?? own);
      filled = text;
      models.set(compare.model ?? own);
      models.node.hidden = isAlone;
      alone.hidden = !isAlone;
      const other = compare.second ?? view;
      if (other) layer.limit(other.layers - 1);
      if (compare.secondLayer !== null) layer.set(compare.secondLayer);
    },
  };
}
