/* Many draws: how many patches and blocks they took, where they fell, and the sampler's numbers. */
import { chartPlace, plot } from "../../charts/plot.js";
import { paintMap } from "../../ui/canvas.js";
import { el } from "../../ui/dom.js";
import { percent } from "../../ui/format.js";
import { legend } from "../../ui/legend.js";
import { maximum } from "../../ui/numbers.js";
import { patchCount } from "./state.js";
import { trim } from "./sentences.js";

/** @typedef {import("./state.js").MasksScene} MasksScene */

export function createDraws() {
  const counts = chartPlace(),
    blocks = chartPlace(),
    often = el("canvas"),
    oftenLegend = el("div"),
    settings = el("table", { class: "inside-table settings" });
  const more = el(
    "details",
    { class: "inside-more" },
    el("summary", { text: "More: where masks fall, how many blocks, and the sampler's numbers" }),
    el(
      "div",
      { class: "inside-charts" },
      el(
        "figure",
        { class: "inside-chart often" },
        el("figcaption", { text: "How often each patch is hidden" }),
        often,
        oftenLegend,
      ),
      blocks,
    ),
    el(
      "div",
      {
        class: "inside-scroll",
        tabindex: "0",
        role: "group",
        "aria-label": "The sampler's numbers",
      },
      settings,
    ),
  );
  return {
    counts,
    more,

    /** Another scene. @param {MasksScene} scene */
    open(scene) {
      for (const place of [counts, blocks]) place.setAttribute("aria-busy", "true");
      const high = maximum(scene.hidden_share, 0, patchCount(scene));
      paintMap(often, scene.hidden_share, { grid: scene.facts.grid, high: high || 1 });
      oftenLegend.replaceChildren(legend("magma", "0 %", percent(high, 0)));
      settings.replaceChildren(
        el("caption", { text: "The sampler's numbers, as everywhere in this project" }),
        el("tbody", {}, ...settingRows(scene.facts)),
      );
    },

    /** @param {NonNullable<import("./state.js").State["charts"]>} charts */
    draw(charts) {
      void plot(counts, charts.counts);
      void plot(blocks, charts.blocks);
      for (const place of [counts, blocks]) place.setAttribute("aria-busy", "false");
    },
  };
}

/** @param {number | boolean | string | readonly number[]} value */
function settingText(value) {
  if (typeof value === "string") return value;
  return typeof value === "boolean"
    ? value
      ? "yes"
      : "no"
    : [value].flat().map(trim).join(" to ");
}

/** @param {MasksScene["facts"]} facts */
const settingRows = ({ config, help }) =>
  Object.entries(config).map(([name, value]) =>
    el(
      "tr",
      {},
      el("th", { scope: "row", text: name.replaceAll("_", " ") }),
      el("td", { text: settingText(value) }),
      el("td", { class: "help", text: help[name] ?? "" }),
    ),
  );
