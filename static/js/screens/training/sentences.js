/* What the test says of a cell of its confusions, and of the pictures it got wrong. */
import { percent } from "../../ui/format.js";

/** @typedef {import("../../types/runs").Report} Report */
/** @typedef {import("../../types/runs").Mistake} Mistake */
/** @typedef {import("../../charts/cells.js").Cell} Cell */

/** @param {Pick<Report, "confusion" | "classes">} report @param {Cell} cell */
export function cellSentence({ confusion, classes }, [row, column]) {
  const count = confusion[row][column],
    total = confusion[row].reduce((a, b) => a + b, 0),
    share = percent(total ? count / total : 0);
  return `${classes[row].name} taken for ${classes[column].name}: ${count} of ${total} (${share}).`;
}

/**
 * The mistakes of a cell; of all cells where none is open.
 *
 * @param {Report} report
 * @param {Cell | null} cell
 */
export function mistakesIn({ mistakes, classes }, cell) {
  if (!cell) return mistakes;
  const [truth, predicted] = cell.map((i) => classes[i].name);
  return mistakes.filter((one) => one.true === truth && one.predicted === predicted);
}

/**
 * What stands above the pictures.
 *
 * @param {Report} report
 * @param {Cell | null} cell
 * @param {boolean} allowed to see the pictures
 */
export function aboutMistakes(report, cell, allowed) {
  const hidden = allowed
    ? ""
    : "The pictures belong to the visitor who started this run, and only that one sees them.";
  if (!report.mistakes.length) return "None: every test picture was right.";
  if (!cell) return hidden;
  const sentence = cellSentence(report, cell),
    [row, column] = cell;
  if (!report.confusion[row][column]) return sentence;
  if (row === column) return `${sentence} They are right: only what is wrong is kept as pictures.`;
  const kept = mistakesIn(report, cell).length;
  if (!kept) return `${sentence} None of them is among the mistakes that are kept, the surest.`;
  if (hidden) return `${sentence} ${hidden}`;
  return kept < report.confusion[row][column]
    ? `${sentence} The surest ${kept} of them:`
    : sentence;
}
