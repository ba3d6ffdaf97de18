/* Rows of a table of numbers. */
import { el } from "./dom.js";

/**
 * A row: its name, then its values.
 *
 * @param {string} name
 * @param {...(string | number)} values
 */
export const tableRow = (name, ...values) =>
  el("tr", {}, el("th", { text: name, scope: "row" }), ...values.map((text) => el("td", { text })));

/** The head of a table; an empty name has no words. @param {...string} names */
export const tableHead = (...names) =>
  el(
    "thead",
    {},
    el("tr", {}, ...names.map((text) => (text ? el("th", { text, scope: "col" }) : el("td")))),
  );
