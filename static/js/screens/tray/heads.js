/* What stands above the columns of a tray, beside its rows, and below its pictures. */
import { el } from "../../ui/dom.js";
import { percent, short, signed } from "../../ui/format.js";
import { legend } from "../../ui/legend.js";
import { titleOf } from "./columns.js";
import { isPagePicture } from "./state.js";

/** @typedef {import("./state.js").Shown} Shown */
/** @typedef {import("./actions.js").Actions} Actions */

/**
 * @param {Shown} shown
 * @param {number} column
 * @param {Actions} actions
 */
export function columnHead({ scene, columns }, column, actions) {
  const facts = scene.facts.columns[column],
    [title, line] = titleOf(facts, scene.facts.models),
    name = `${title}${line ? `, ${line}` : ""}`;
  return el(
    "th",
    { scope: "col" },
    el("b", { text: title }),
    el("span", { class: "inside-tray-line", text: line }),
    el("div", { class: "inside-tray-scale" }, scaleOf(facts)),
    el(
      "div",
      { class: "inside-tray-buttons", role: "group", "aria-label": name },
      column > 0 ? small("‹", "To the left", name, () => actions.moveColumn(column, -1)) : null,
      column < columns.length - 1
        ? small("›", "To the right", name, () => actions.moveColumn(column, 1))
        : null,
      facts.numbers.length
        ? small("↓", `Sort rows by: ${facts.says}`, name, () => actions.sort(column))
        : null,
      small("×", "Remove", name, () => actions.removeColumn(column)),
    ),
  );
}

/** What the colours of a column mean. @param {import("./state.js").ColumnFacts} facts */
export function scaleOf({ view, limits, note }) {
  if (!limits) return el("span", { class: "inside-tray-line", text: note });
  const [low, high] = view === "similar" ? ["−1", "1"] : limits.map(short);
  return legend(view === "similar" ? "blue-red" : "magma", low, high);
}

/** @param {Shown} shown @param {number} row @param {Actions} actions */
export function rowHead({ rows, view }, row, actions) {
  const one = rows[row],
    isOpen = isPagePicture(one, view);
  return el(
    "th",
    { scope: "row", class: isOpen ? "open" : null },
    el("b", { text: one.name, title: one.name }),
    isOpen
      ? el("span", { class: "inside-tray-line", text: "the page's picture" })
      : el("button", {
          type: "button",
          class: "inside-tray-open",
          text: "Open on the page",
          "aria-label": `Open ${one.name} on the page`,
          onclick: () => actions.openRow(row),
        }),
    el(
      "div",
      { class: "inside-tray-buttons", role: "group", "aria-label": one.name },
      row > 0 ? small("↑", "Up", one.name, () => actions.moveRow(row, -1)) : null,
      row < rows.length - 1 ? small("↓", "Down", one.name, () => actions.moveRow(row, 1)) : null,
      small("×", "Remove", one.name, () => actions.removeRow(row)),
    ),
  );
}

/**
 * @param {string} sign
 * @param {string} what
 * @param {string} whose
 * @param {() => unknown} work
 */
const small = (sign, what, whose, work) =>
  el("button", {
    type: "button",
    text: sign,
    title: what,
    "aria-label": `${what}: ${whose}`,
    onclick: work,
  });

/** The number below a cell. @param {import("./state.js").ColumnFacts} facts @param {number} row */
export function numberOf({ view, numbers, says }, row) {
  if (!numbers.length) return "";
  const value = numbers[row];
  const isShare = view === "pca" || view === "clusters";
  const text = isShare ? percent(value, 0) : view === "similar" ? signed(value) : short(value);
  return `${says}: ${text}`;
}
