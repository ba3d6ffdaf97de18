/* Sizes and areas of the crops to choose, each with what it means. */
import { button, slider } from "../../ui/controls.js";
import { el } from "../../ui/dom.js";
import { percent } from "../../ui/format.js";
import { OPTION_NAMES, OPTIONS, valueOf, withChoice } from "./options.js";

/** @typedef {import("./options.js").OptionName} OptionName */
/** @typedef {import("./state.js").CropsScene["facts"]} Facts */

const LARGEST = 336; // px, a side of a crop
const MOST_LOCAL = 12;

/**
 * @param {import("./state.js").State} state
 * @param {import("./state.js").Update} update
 * @param {() => unknown} onchange
 */
export function createSliders(state, update, onchange) {
  /** @param {OptionName} name */
  const make = (name) =>
    slider(OPTIONS[name].label, {
      ...RANGES[OPTIONS[name].unit],
      oninput: (value) => {
        if (!state.scene) return;
        update({ options: withChoice(state.options, { name, value }, state.scene.facts) });
        onchange();
      },
    });
  const sliders = OPTION_NAMES.map((name) => ({ name, slider: make(name), help: el("small") }));
  const official = button("The official numbers", () => {
    update({ options: {} });
    onchange();
  });
  return {
    node: el(
      "div",
      { class: "inside-options" },
      ...sliders.map((one) => el("div", {}, one.slider.node, one.help)),
      official,
    ),

    /** What is chosen, before the scene of it has come. @param {Facts} facts */
    draw({ official: config, help, patch_size: p }) {
      for (const { name, slider: one, help: words } of sliders) {
        if (OPTIONS[name].unit === "px")
          Object.assign(one.input, { min: p, step: p, max: p * Math.floor(LARGEST / p) });
        one.set(state.options[name] ?? valueOf(name, config));
        words.textContent = name.endsWith("_high") ? "" : (help[OPTIONS[name].field] ?? "");
      }
    },
  };
}

const RANGES = {
  share: {
    min: 0.01,
    max: 1,
    step: 0.01,
    format: (/** @type {number} */ value) => percent(value, 0),
  },
  px: { max: LARGEST, format: (/** @type {number} */ value) => `${value} px` },
  crops: { min: 0, max: MOST_LOCAL },
};
