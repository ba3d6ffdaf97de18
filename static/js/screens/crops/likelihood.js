/* How likely each operation is, and whether this draw did it. */
import { el } from "../../ui/dom.js";
import { percent } from "../../ui/format.js";
import { OPERATION_TITLES } from "./sentences.js";

/** @typedef {import("./state.js").CropsScene["facts"]} Facts */

const KINDS = ["Global 0", "Global 1", "Local"];

export function createLikelihood() {
  const title = "How likely each operation is, and whether this draw did it",
    table = el("table", { class: "inside-likely" });
  const scroll = { class: "inside-scroll", tabindex: "0", role: "group", "aria-label": title };
  return {
    node: el(
      "section",
      { class: "inside-likelihood" },
      el("h2", { text: title }),
      el("div", scroll, table),
    ),
    /** Another scene. @param {Facts} facts */
    open(facts) {
      table.replaceChildren(
        el("caption", {
          class: "inside-hidden",
          text: "Probability of each operation, and whether it happened in this draw",
        }),
        el("thead", {}, el("tr", {}, ...["Operation", ...KINDS].map(headCell))),
        el("tbody", {}, ...Object.keys(OPERATION_TITLES).map((name) => row(facts, name))),
      );
    },
  };
}

/** @param {string} text */
const headCell = (text) => el("th", { scope: "col", text });

/** @param {Facts} facts @param {string} name */
function row(facts, name) {
  const title = OPERATION_TITLES[/** @type {keyof typeof OPERATION_TITLES} */ (name)];
  return el(
    "tr",
    {},
    el("th", { scope: "row" }, title, name === "blur" ? otherBlur(facts) : null),
    ...KINDS.map((_, k) => cell(facts, name, k)),
  );
}

/** @param {Facts} facts @param {string} name @param {number} k */
function cell({ probabilities, fired, kinds }, name, k) {
  const times = fired[name][k],
    happened = kinds[k] === 1 ? (times ? "yes" : "no") : `${times} of ${kinds[k]}`;
  return el(
    "td",
    { class: times ? "fired" : "" },
    el("b", { text: percent(probabilities[name][k], 0) }),
    el("span", { text: happened }),
  );
}

/** The official blur is not the written one: both are told. @param {Facts} facts */
function otherBlur({ blur, blurs }) {
  const other = blur === "as run" ? "as written" : "as run",
    values = blurs[other].map((p) => percent(p, 0)).join(", ");
  return el("small", { text: `${blur}; ${other}: ${values}` });
}
