/* Small tables of the step: the losses, clipping, and how the losses' gradients lie to each other. */
import { el } from "../../ui/dom.js";
import { percent, short, signed } from "../../ui/format.js";
import { tableHead, tableRow } from "../../ui/table.js";
import { sumOf } from "./arithmetic.js";
import { companions, thumbnail } from "./crops.js";

/** @typedef {import("./state.js").StepScene} StepScene */

/** @type {Record<string, string>} */
export const TERMS = {
  dino_global: "DINO, global crops",
  dino_local: "DINO, local crops",
  koleo: "KoLeo",
  ibot: "iBOT",
};

/** @type {Record<string, string>} */
const PARTS = { backbone: "backbone", dino_head: "DINO head", ibot_head: "iBOT head" };

/** Each loss with its weight, and the sum. @param {StepScene} scene */
export function lossBars({ facts }) {
  const top = Math.max(...Object.values(facts.before), 1e-9);
  const bar = (/** @type {string} */ name, /** @type {number} */ value) =>
    el(
      "div",
      {},
      el("span", { text: name }),
      el("i", { style: `--share: ${Math.max(value, 0) / top}` }),
      el("b", { text: signed(value, 3) }),
    );
  return el(
    "div",
    { class: "inside-stack" },
    el(
      "div",
      { class: "inside-bars wide" },
      ...Object.entries(facts.before).map(([name, value]) => bar(TERMS[name], value)),
    ),
    el("p", { class: "inside-total", text: `Together ${signed(sumOf(facts.before), 3)} nats` }),
  );
}

/** How far the picture's class tokens are from the nearest other picture's. @param {StepScene} scene */
export function koleoTable(scene) {
  const rows = scene.facts.koleo.map((value, view) =>
    el(
      "tr",
      {},
      el("th", { scope: "row" }, thumbnail(scene, view), ` global ${view}`),
      el("td", { text: Math.exp(-value).toFixed(3) }),
      el("td", { text: signed(value, 3) }),
    ),
  );
  return el(
    "div",
    { class: "inside-stack" },
    el(
      "table",
      { class: "inside-table inside-near-view", hidden: rows.length === 0 },
      tableHead("", "distance to the nearest", "− ln"),
      el("tbody", {}, ...rows),
    ),
    companions(scene),
  );
}

/** The lengths of the gradients, and what clipping left of them. @param {StepScene} scene */
export const clipTable = ({ facts }) =>
  el(
    "table",
    { class: "inside-table" },
    tableHead("", "length", "at most", "left"),
    el(
      "tbody",
      {},
      ...Object.entries(facts.norms).map(([name, norm]) =>
        tableRow(
          PARTS[name] ?? name,
          short(norm),
          facts.clip === null ? "–" : String(facts.clip),
          percent(facts.kept[name]),
        ),
      ),
    ),
  );

/** Cosines between the gradients of the losses. @param {StepScene} scene */
export function cosineTable({ facts, cosines }) {
  const names = facts.terms.map((name) => TERMS[name]),
    m = names.length;
  const rows = names.map((name, i) =>
    tableRow(name, ...names.map((_, j) => (i === j ? "1" : signed(cosines[i * m + j])))),
  );
  return el(
    "div",
    { class: "inside-scroll" },
    el(
      "table",
      { class: "inside-table inside-cosines" },
      el("caption", {
        class: "inside-note",
        text: "Cosine between the gradients of two losses: 1 is the same way, 0 neither helps nor hinders.",
      }),
      tableHead("", ...names),
      el("tbody", {}, ...rows),
    ),
  );
}
