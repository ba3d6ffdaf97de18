/* What the colours of a map mean. */
import { gradient } from "./colours.js";
import { el } from "./dom.js";

/**
 * @param {string} colours name of the colour map
 * @param {string} low what its first colour stands for
 * @param {string} high what its last colour stands for
 */
export const legend = (colours, low, high) =>
  el(
    "div",
    { class: "inside-legend" },
    el("span", { text: low }),
    el("i", { style: `background:${gradient(colours)}` }),
    el("span", { text: high }),
  );
