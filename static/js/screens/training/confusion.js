/* Which classes are taken for which: the server's chart, where a click opens a cell's pictures, and
   its numbers as a table for those who do not see it. */
import { onCells } from "../../charts/cells.js";
import { chartPlace, plot } from "../../charts/plot.js";
import { chartForm, onTheme } from "../../charts/theme.js";
import { requestJson } from "../../page/scenes.js";
import { el } from "../../ui/dom.js";
import { cellSentence } from "./sentences.js";

/** @typedef {import("./state.js").Opened} Opened */
/** @typedef {import("./state.js").Report} Report */
/** @typedef {import("../../charts/cells.js").Cell} Cell */
/** @typedef {import("../../types/plotly").Chart} Chart */
/** @typedef {{ name: string, report: Report, cell: Cell | null }} Shown */

/**
 * @param {(cell: Cell) => unknown} open
 * @param {(work: () => unknown) => unknown} run
 */
export function createConfusion(open, run) {
  const box = el("div", { class: "inside-confusion inside-scroll" }),
    table = el("table", { class: "inside-hidden" }),
    spoken = el("p", { class: "inside-hidden", "aria-live": "polite" });
  let place = chartPlace();
  /** @type {Shown | null} */
  let shown = null;
  /** @type {Chart | null} */
  let drawn = null;

  /** In the colours of the page, and again when those have changed meanwhile. */
  async function load() {
    if (!shown) return;
    const { name } = shown,
      form = chartForm();
    const chart = await fetchChart(name, form);
    if (shown.name !== name || chartForm() !== form) return; // another one is on its way
    drawn = chart;
    await show();
  }

  async function show() {
    if (shown && drawn) await plot(place, withMark(drawn, shown.cell));
  }

  /**
   * A run's report is shown: a place of its own, since the one before may be zoomed.
   *
   * @param {Report} report
   */
  function begin(report) {
    place = chartPlace();
    drawn = null;
    box.style.setProperty("--classes", String(report.classes.length));
    box.replaceChildren(place);
    onCells(place, {
      opened: open,
      walked: (cell) => (spoken.textContent = cellSentence(report, cell)),
    });
    fillTable(table, report);
    spoken.textContent = "";
  }

  onTheme(() => shown && run(load));

  return {
    node: el(
      "div",
      { class: "inside-confusions" },
      box,
      el("p", {
        class: "inside-note",
        text:
          "Click a cell, or walk to it with the arrow keys and press Enter: its pictures " +
          "are shown below.",
      }),
      el("div", { class: "inside-hidden" }, table, spoken),
    ),

    /** @param {string} name @param {Report} report @param {Cell | null} cell that is open */
    draw(name, report, cell) {
      const other = shown?.report !== report;
      shown = { name, report, cell };
      if (other) begin(report);
      run(other ? load : show);
    },
  };
}

/** @param {string} name @param {string} form */
async function fetchChart(name, form) {
  /** @type {import("../../types/plotly").Charts} */
  const { confusion } = await requestJson(`runs/${name}/confusion?form=${form}`);
  return confusion;
}

/** The chart with a frame around one cell. @param {Chart} chart @param {Cell | null} cell */
function withMark({ data, layout }, cell) {
  const colour = layout.template?.layout?.colorway?.[0];
  const frame = cell && {
    type: "rect",
    x0: cell[1] - 0.5,
    x1: cell[1] + 0.5,
    y0: cell[0] - 0.5,
    y1: cell[0] + 0.5,
    line: { color: colour, width: 3 },
  };
  return { data, layout: { ...layout, shapes: frame ? [frame] : [] } };
}

/** @param {HTMLTableElement} table @param {Report} report */
function fillTable(table, { confusion, classes }) {
  const names = classes.map(({ name }) => name);
  /** @param {"col" | "row"} scope @param {string} text */
  const heading = (scope, text) => el("th", { scope, text });
  table.replaceChildren(
    el("caption", {
      text: "Confusion matrix: rows are the true classes, columns what the model said",
    }),
    el("thead", {}, el("tr", {}, el("td"), ...names.map((name) => heading("col", name)))),
    el(
      "tbody",
      {},
      ...confusion.map((counts, row) =>
        el(
          "tr",
          {},
          heading("row", names[row]),
          ...counts.map((count) => el("td", { text: count })),
        ),
      ),
    ),
  );
}
