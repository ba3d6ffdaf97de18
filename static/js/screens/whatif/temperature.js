/* A head's or a block's scores divided by a temperature: below 1 attention is sharper, above flatter. */
import { pick, slider } from "../../ui/controls.js";
import { el } from "../../ui/dom.js";
import { placeOf } from "./edits.js";
import { layerOf } from "./state.js";

const STEPS = 20; // of the slider on either side of 1: 0.1 to 10

/** Position of the slider -> temperature in three digits. @param {number} at */
export const temperatureAt = (at) => Number((10 ** (at / STEPS)).toPrecision(3));

/** And back. @param {number} temperature */
export const positionOf = (temperature) => Math.round(STEPS * Math.log10(temperature));

/**
 * @param {import("./state.js").State} state
 * @param {import("./state.js").Editing} editing
 */
export function createTemperature(state, editing) {
  const block = pick("Block", [[0, "0"]], 0, () => draw()),
    head = pick("head", [["", "all"]], "", () => draw());
  const heat = slider("Temperature", {
    min: -STEPS,
    max: STEPS,
    format: (at) => String(temperatureAt(at)),
    oninput: apply,
  });
  let filled = "";

  const place = () => `scores:${block.input.value}${head.input.value && `.${head.input.value}`}`;
  const found = () =>
    state.edits.findIndex(
      ({ text }) => placeOf(text) === place() && text.includes("=temperature "),
    );
  /** @param {number} position */
  function apply(position) {
    const at = found(),
      text = position === 0 ? null : `${place()}=temperature ${temperatureAt(position)}`,
      step = `temperature ${place()}`;
    if (at >= 0) editing.replace(at, text, step);
    else if (text) editing.add(text, step);
  }
  function draw() {
    const { view } = state;
    if (!view) return;
    const size = `${view.layers} ${view.heads}`;
    if (size !== filled) {
      const numbers = (/** @type {number} */ count) =>
        Array.from({ length: count }, (_, i) => /** @type {[number, string]} */ ([i, String(i)]));
      block.fill(numbers(view.layers), layerOf(view));
      head.fill([["", "all"], ...numbers(view.heads)], "");
    }
    filled = size;
    const at = found();
    heat.set(at < 0 ? 0 : positionOf(Number(state.edits[at].text.split("temperature ")[1])));
  }
  return {
    node: el("div", { class: "inside-controls" }, block.node, head.node, heat.node),
    draw,
  };
}
