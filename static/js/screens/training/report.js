/* What a fine-tuning's test says: accuracy, classes, confusions, and the pictures it got wrong. */
import { ServerError } from "../../page/errors.js";
import { requestJson } from "../../page/scenes.js";
import { el } from "../../ui/dom.js";
import { percent } from "../../ui/format.js";
import { tableHead, tableRow } from "../../ui/table.js";
import { createConfusion } from "./confusion.js";
import { createLayers } from "./layers.js";
import { createMistakes } from "./mistakes.js";

/** @typedef {import("./state.js").State} State */
/** @typedef {import("./state.js").Opened} Opened */
/** @typedef {import("./state.js").Report} Report */

/**
 * @param {(change: Partial<State>) => void} update
 * @param {(work: () => unknown) => unknown} run
 */
export function createReport(update, run) {
  const sentence = el("p", { class: "inside-details" }),
    weights = el("p", { class: "inside-details inside-weights" }),
    classes = el("table", { class: "inside-table" }),
    confusion = createConfusion((cell) => update({ cell }), run),
    layers = createLayers(run),
    mistakes = createMistakes(() => update({ cell: null }));
  const node = el(
    "section",
    { class: "inside-test", hidden: true },
    el("h2", { text: "The test, on pictures it never learned from" }),
    sentence,
    weights,
    layers.verdict,
    el(
      "div",
      { class: "inside-test-columns" },
      confusion.node,
      el(
        "div",
        {},
        el("h2", { text: "Class by class" }),
        el("div", { class: "inside-scroll" }, classes),
      ),
    ),
    layers.chart,
    mistakes.node,
  );
  /** Name of the run whose report was asked for. */
  let asked = "";

  /** @param {string} name */
  async function load(name) {
    const report = await fetchReport(name).catch(noReport);
    if (name !== asked) return; // another run was opened
    if (report) update({ report });
    else asked = ""; // asked for again
  }

  return {
    node,
    layers,

    /** @param {Opened} state @param {Partial<State>} change */
    draw(state, change) {
      const { run: card, report, lines, cell } = state,
        wanted = card.report ? card.name : "";
      if (wanted !== asked) {
        asked = wanted;
        node.hidden = true;
        if (wanted) run(() => load(wanted));
        return;
      }
      if (!report || !(node.hidden || "cell" in change)) return; // a report does not change
      if (node.hidden) {
        sentence.textContent = reportSentence(report, validationBefore(lines));
        weights.textContent = report.weights && `Weights it began with: ${report.weights}.`;
        weights.hidden = !report.weights;
        layers.draw(card.name, report.layers);
        drawClasses(classes, report);
        node.hidden = false;
      }
      confusion.draw(card.name, report, cell);
      mistakes.draw(report, card, cell);
    },
  };
}

/** @param {string} name @returns {Promise<Report>} */
const fetchReport = (name) => requestJson(`runs/${name}/report`);

/** A run has a report only when it is done. @param {unknown} error */
function noReport(error) {
  if (error instanceof ServerError) return null;
  throw error;
}

/** Accuracy of the head alone, before the backbone moved. @param {Opened["lines"]} lines */
const validationBefore = (lines) =>
  lines.find(({ stage }) => stage === "backbone")?.validation_accuracy ?? null;

/** @param {Report} report @param {number | null} before */
function reportSentence(report, before) {
  const { accuracy, pictures, counts, skipped } = report;
  return [
    `${percent(accuracy)} of ${pictures} test pictures right (± ` +
      `${percent(report.standard_error)}); always the commonest class would be ` +
      `${percent(report.always_the_commonest)}.`,
    `Mean over classes ${percent(report.balanced_accuracy)}.`,
    `Learned from ${counts.train} pictures, ended by ${counts.validation} others; best after ` +
      `${report.best_epoch} epochs.`,
    before === null
      ? ""
      : `Before the backbone moved, the head alone had ${percent(before)} of the validation pictures right.`,
    report.balance.words,
    skipped.length ? `${skipped.length} files could not be read.` : "",
  ]
    .filter(Boolean)
    .join(" ");
}

/** @param {HTMLTableElement} table @param {Report} report */
function drawClasses(table, { classes }) {
  const share = (/** @type {number | null} */ value) => (value === null ? "–" : percent(value));
  const cells = (/** @type {Report["classes"][number]} */ { pictures, precision, recall, f1 }) => [
    pictures,
    share(precision),
    share(recall),
    f1?.toFixed(3) ?? "–",
  ];
  table.replaceChildren(
    tableHead("class", "pictures", "precision", "recall", "F1"),
    el("tbody", {}, ...classes.map((one) => tableRow(one.name, ...cells(one)))),
  );
}
