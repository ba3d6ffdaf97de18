/* What the networks say of each crop: a row of prototypes for each, and every pair of crops. */
import { paintMap } from "../../ui/canvas.js";
import { colourTable, inkOn } from "../../ui/colours.js";
import { el } from "../../ui/dom.js";
import { percent, signed } from "../../ui/format.js";
import { legend } from "../../ui/legend.js";
import { rangeOf } from "./arithmetic.js";
import { GLOBALS, thumbnail } from "./crops.js";

/** @typedef {import("./state.js").StepScene} StepScene */

/**
 * @typedef {object} Answers
 * @property {Float32Array} values [crops, k]
 * @property {boolean} logits and not shares
 */

/**
 * A row for each crop: the prototypes that stand out as colours, and which is first.
 *
 * @param {StepScene} scene
 * @param {Answers} answers
 */
export function prototypeRows(scene, { values, logits }) {
  const k = scene.columns.length,
    rows = values.length / k,
    [low, high] = rangeOf(values),
    end = Math.max(-low, high);
  const range = logits ? { low: -end, high: end, colours: "blue-red" } : { low: 0, high };
  const lines = Array.from({ length: rows }, (_, crop) => {
    const own = values.subarray(crop * k, (crop + 1) * k),
      best = own.indexOf(Math.max(...own)),
      map = el("canvas", { "aria-hidden": "true" });
    paintMap(map, own, { grid: [1, k], ...range });
    const most = logits ? signed(own[best]) : percent(own[best], own[best] < 0.1 ? 1 : 0);
    return el(
      "div",
      { class: "row" },
      thumbnail(scene, crop),
      el("span", { text: scene.facts.crops[crop].name }),
      map,
      el("span", { class: "best", text: `#${scene.columns[best]}  ${most}` }),
    );
  });
  const ends = logits
    ? legend("blue-red", signed(-end, 1), `${end.toFixed(1)}, logits of ${k} prototypes`)
    : legend("magma", "0", `${percent(high, 0)} on one of ${k} prototypes`);
  return el("div", { class: "inside-stack" }, el("div", { class: "inside-rows" }, ...lines), ends);
}

/** Every student crop against both views of the teacher. @param {StepScene} scene */
export function crossEntropies(scene) {
  const { crops } = scene.facts,
    isCounted = (/** @type {number} */ i) => Math.floor(i / GLOBALS) !== i % GLOBALS,
    [low, high] = rangeOf(scene.dino.filter((_, i) => isCounted(i))),
    table = colourTable("magma");
  const cell = (/** @type {number} */ i) => {
    if (!isCounted(i)) return el("td", { class: "same", title: "not compared with itself" });
    const value = scene.dino[i],
      level = 3 * Math.round((255 * (value - low)) / Math.max(high - low, 1e-9)),
      colour = [...table.slice(level, level + 3)];
    return el("td", {
      style: `background: rgb(${colour}); color: ${inkOn(colour)}`,
      text: value.toFixed(2),
    });
  };
  const head = (/** @type {number} */ i, /** @type {string} */ scope) =>
    el("th", { scope }, thumbnail(scene, i), el("span", { text: crops[i].name }));
  const students = crops.map((_, i) => i);
  return el(
    "div",
    { class: "inside-scroll" },
    el(
      "table",
      { class: "inside-step-pairs" },
      el(
        "thead",
        {},
        el(
          "tr",
          {},
          el("td", { text: "teacher ↓ student →" }),
          ...students.map((i) => head(i, "col")),
        ),
      ),
      el(
        "tbody",
        {},
        ...[0, 1].map((view) =>
          el("tr", {}, head(view, "row"), ...students.map((i) => cell(i * GLOBALS + view))),
        ),
      ),
    ),
  );
}
