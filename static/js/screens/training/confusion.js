/* Which classes are taken for which. A table, so that everybody can read its numbers. */
import { colourTable, inkOn } from "../../ui/colours.js";
import { el } from "../../ui/dom.js";
import { percent } from "../../ui/format.js";
import { legend } from "../../ui/legend.js";
import { tip } from "../../ui/tooltip.js";

/** @typedef {import("./state.js").Report} Report */

const NUMBERS = 25; // classes up to which the cells have room for numbers

export function createConfusion() {
  /** @type {HTMLElement} */
  const matrix = el("div", {
    class: "inside-confusion inside-scroll",
    onpointermove: (event) => {
      const cell = event.target instanceof Element ? event.target.closest("td[data-row]") : null;
      tip(matrix, event, cell?.getAttribute("title") ?? null);
    },
    onpointerleave: (event) => tip(matrix, event, null),
  });
  return {
    node: el(
      "div",
      {},
      el("h2", { text: "Confusions: rows are the truth" }),
      matrix,
      el("div", { class: "inside-confusion-legend" }, legend("magma", "0 % of the row", "100 %")),
    ),

    /** @param {Report} report */
    draw({ confusion, classes }) {
      const names = classes.map(({ name }) => name);
      matrix.replaceChildren(
        el(
          "table",
          {},
          el("caption", {
            class: "inside-hidden",
            text: "Confusion matrix: rows are the true classes, columns what the model said",
          }),
          el("thead", {}, el("tr", {}, el("td"), ...names.map((name) => heading("col", name)))),
          el("tbody", {}, ...confusion.map((counts, row) => line(counts, row, names))),
        ),
      );
    },
  };
}

/** @param {"col" | "row"} scope @param {string} name */
const heading = (scope, name) =>
  el("th", { scope, title: name }, el("span", { text: name, title: name }));

/** @param {readonly number[]} counts @param {number} row @param {readonly string[]} names */
function line(counts, row, names) {
  const total = counts.reduce((a, b) => a + b, 0),
    table = colourTable("magma");
  const cells = counts.map((count, col) => {
    const share = total ? count / total : 0,
      at = 3 * Math.round(255 * share),
      rgb = [table[at], table[at + 1], table[at + 2]];
    return el("td", {
      "data-row": row,
      "data-col": col,
      style: `background:rgb(${rgb});color:${inkOn(rgb)}`,
      text: names.length <= NUMBERS ? count : "",
      title: `${names[row]} taken for ${names[col]}: ${count} of ${total} (${percent(share)})`,
    });
  });
  return el("tr", {}, heading("row", names[row]), ...cells);
}
