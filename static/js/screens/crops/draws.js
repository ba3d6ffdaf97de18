/* Areas, shapes and operations over many draws. */
import { chartPlace, plot } from "../../charts/plot.js";
import { el } from "../../ui/dom.js";
import { percent } from "../../ui/format.js";
import { OPERATION_TITLES } from "./sentences.js";

/** @typedef {import("./state.js").State} State */

export function createDraws() {
  const area = chartPlace(),
    aspect = chartPlace(),
    rates = el("p", { class: "inside-note" }),
    node = el("div", { class: "inside-charts" }, area, aspect, rates);
  return {
    node,
    /** @param {State} state */
    draw({ draws, charts, shown }) {
      node.setAttribute("aria-busy", String(!charts));
      if (!draws || !charts || !shown) return;
      void plot(area, charts.area);
      void plot(aspect, charts.aspect);
      rates.textContent = ratesSentence(draws.facts, shown.seed);
    },
  };
}

/** @param {import("./state.js").CropDrawsScene["facts"]} facts @param {number} seed */
function ratesSentence({ draws, rates }, seed) {
  const all = Object.entries(OPERATION_TITLES).map(
    ([name, title]) => `${title} ${rates[name].map((rate) => percent(rate, 0)).join(", ")}`,
  );
  return (
    `Seeds ${seed} to ${seed + draws - 1}. How often it happened in global 0, global 1 ` +
    `and the local crops: ${all.join("; ")}.`
  );
}
