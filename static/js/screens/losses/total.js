/* The terms of the loss, and their sum. */
import { el } from "../../ui/dom.js";
import { tableHead } from "../../ui/table.js";
import { GLOBALS } from "./arithmetic.js";
import { signed } from "./format.js";

/** @typedef {import("./state.js").LossesScene} LossesScene */

const TERMS = /** @type {const} */ ([
  ["dino_global", "DINO, global crops"],
  ["dino_local", "DINO, local crops"],
  ["ibot", "iBOT"],
  ["koleo", "KoLeo"],
]);

/** The loss: its terms with their weights. @param {LossesScene} scene */
export const totalOf = ({ facts: { terms } }) =>
  TERMS.reduce((total, [name]) => total + terms[name], 0);

export function createTotal() {
  const table = el("table", { class: "inside-table inside-sum" });
  return {
    node: el(
      "div",
      { class: "inside-left wide" },
      el("h2", { text: "The sum" }),
      el("div", { class: "inside-scroll" }, table),
      el("p", {
        class: "inside-details",
        text:
          "Weights are included. “Uniform” is what a student would pay that gives every " +
          "prototype the same probability. The official log halves iBOT and KoLeo, so " +
          "its total is not this sum.",
      }),
    ),

    /** @param {LossesScene} scene */
    build(scene) {
      const { terms, uniform } = scene.facts,
        details = howTermsAdd(scene.facts.crops.length - GLOBALS);
      const top = Math.max(...TERMS.flatMap(([name]) => [terms[name], uniform[name] ?? 0]), 1e-9);
      table.replaceChildren(
        tableHead("", "", "here", "uniform"),
        el(
          "tbody",
          {},
          ...TERMS.map(([name, title]) =>
            line({ title, detail: details[name], value: terms[name], uniform: uniform[name] }, top),
          ),
          totalLine(scene),
        ),
      );
    },
  };
}

/** @param {number} locals how many local crops */
function howTermsAdd(locals) {
  const pairs = 2 + 2 * locals;
  return {
    dino_global: `2 of ${pairs} pairs, divided by ${pairs}`,
    dino_local: `${2 * locals} of ${pairs} pairs, divided by ${pairs}`,
    ibot: "mean over the masked patches, one of two crops",
    koleo: "sum over both views",
  };
}

/**
 * @param {{ title: string, detail: string, value: number, uniform: number | undefined }} term
 * @param {number} top the full width of a bar
 */
function line({ title, detail, value, uniform }, top) {
  const bar = el("i", { style: `width:${(100 * Math.abs(value)) / top}%` });
  const mark =
    uniform === undefined
      ? null
      : el("u", { style: `left:${(100 * uniform) / top}%`, title: "uniform output" });
  return el(
    "tr",
    {},
    el("th", { scope: "row" }, title, el("small", { text: detail })),
    el("td", { class: "bar" }, bar, mark),
    el("td", { text: signed(value, 3) }),
    el("td", { text: uniform === undefined ? "–" : uniform.toFixed(3) }),
  );
}

/** @param {LossesScene} scene */
const totalLine = (scene) =>
  el(
    "tr",
    { class: "total" },
    el("th", { scope: "row", text: "Loss" }),
    el("td"),
    el("td", { text: signed(totalOf(scene), 3) }),
    el("td", {
      text: Object.values(scene.facts.uniform)
        .reduce((a, b) => a + b, 0)
        .toFixed(3),
    }),
  );
