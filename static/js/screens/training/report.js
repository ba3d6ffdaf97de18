/* What a fine-tuning's test says: accuracy, classes, confusions, and the pictures it got wrong. */
import { ServerError } from "../../page/errors.js";
import { requestJson } from "../../page/scenes.js";
import { colourTable, inkOn } from "../../ui/colours.js";
import { el } from "../../ui/dom.js";
import { percent } from "../../ui/format.js";
import { legend as colourLegend } from "../../ui/legend.js";
import { tip } from "../../ui/tooltip.js";
const NUMBERS = 25; // classes up to which the cells of the matrix have room for numbers

/* A run has a report only when it is done. */
function noReport(error) {
  if (error instanceof ServerError) return null;
  throw error;
}

export function testReport() {
  let shown = null,
    report = null;
  const words = el("p", { class: "inside-details" }),
    classes = el("table", { class: "inside-table" }),
    matrix = el("div", { class: "inside-confusion inside-scroll" });
  const mistakes = el("div", { class: "inside-mistakes" }),
    mistakeWords = el("p", { class: "inside-note" }),
    legend = el("div", { class: "inside-confusion-legend" });
  const node = el(
    "section",
    { class: "inside-test", hidden: true },
    el("h2", { text: "The test, on pictures it never learned from" }),
    words,
    el(
      "div",
      { class: "inside-test-columns" },
      el("div", {}, el("h2", { text: "Confusions: rows are the truth" }), matrix, legend),
      el(
        "div",
        {},
        el("h2", { text: "Class by class" }),
        el("div", { class: "inside-scroll" }, classes),
      ),
    ),
    el("h2", { text: "Wrong, and most sure of it" }),
    mistakeWords,
    mistakes,
  );
  const share = (value) => (value === null ? "–" : percent(value));

  function drawWords(start) {
    const {
      accuracy,
      standard_error: error,
      pictures,
      always_the_commonest: commonest,
      balanced_accuracy: balanced,
      counts,
      best_epoch: best,
      balance,
      skipped,
    } = report;
    words.textContent =
      `${percent(accuracy)} of ${pictures} test pictures right (± ${percent(error)}); always the commonest class would be ${percent(commonest)}. Mean over classes ${percent(balanced)}. ` +
      `Learned from ${counts.train} pictures, ended by ${counts.validation} others; best after ${best} epochs. ${start === null ? "" : `Before the backbone moved, the head alone had ${percent(start)} of the validation pictures right. `}${balance.words}` +
      (skipped.length ? ` ${skipped.length} files could not be read.` : "");
  }

  function drawMatrix() {
    const { confusion, classes: list } = report,
      table = colourTable("magma"),
      n = list.length;
    const cell = (count, row, r, c) => {
      const part = row ? count / row : 0,
        at = 3 * Math.round(255 * part),
        [red, green, blue] = table.slice(at, at + 3);
      return el("td", {
        "data-row": r,
        "data-col": c,
        style: `background:rgb(${red},${green},${blue});color:${inkOn([red, green, blue])}`,
        text: n <= NUMBERS ? count : "",
        title: `${list[r].name} taken for ${list[c].name}: ${count} of ${row} (${percent(part)})`,
      });
    };
    matrix.replaceChildren(
      el(
        "table",
        {},
        el("caption", {
          class: "inside-hidden",
          text: "Confusion matrix: rows are the true classes, columns what the model said",
        }),
        el(
          "thead",
          {},
          el(
            "tr",
            {},
            el("td"),
            ...list.map(({ name }) =>
              el("th", { scope: "col" }, el("span", { text: name, title: name })),
            ),
          ),
        ),
        el(
          "tbody",
          {},
          ...confusion.map((row, r) => {
            const sum = row.reduce((a, b) => a + b, 0);
            return el(
              "tr",
              {},
              el("th", { scope: "row", text: list[r].name, title: list[r].name }),
              ...row.map((count, c) => cell(count, sum, r, c)),
            );
          }),
        ),
      ),
    );
    legend.replaceChildren(colourLegend("magma", "0 % of the row", "100 %"));
    matrix.onpointermove = (event) => {
      const cell_ = event.target.closest("td[data-row]");
      tip(matrix, event, cell_ ? cell_.title : null);
    };
    matrix.onpointerleave = (event) => tip(matrix, event, null);
  }

  function drawClasses() {
    classes.replaceChildren(
      el(
        "thead",
        {},
        el(
          "tr",
          {},
          ...["class", "pictures", "precision", "recall", "F1"].map((text) =>
            el("th", { scope: "col", text }),
          ),
        ),
      ),
      el(
        "tbody",
        {},
        ...report.classes.map(({ name, pictures, precision, recall, f1 }) =>
          el(
            "tr",
            {},
            el("th", { scope: "row", text: name }),
            ...[pictures, share(precision), share(recall), f1 === null ? "–" : f1.toFixed(3)].map(
              (text) => el("td", { text }),
            ),
          ),
        ),
      ),
    );
  }

  function drawMistakes(run, allowed) {
    const list = report.mistakes;
    mistakeWords.textContent = !list.length
      ? "None: every test picture was right."
      : allowed
        ? ""
        : "The pictures belong to the visitor who started this run, and only that one sees them.";
    mistakes.replaceChildren(
      ...list.slice(0, 24).map(({ number, true: truth, predicted, probabilities, file }) =>
        el(
          "figure",
          { title: file ?? "" },
          allowed
            ? el("img", {
                src: `runs/${run}/mistakes/${number}.jpg`,
                alt: `${truth}, taken for ${predicted}`,
                loading: "lazy",
              })
            : null,
          el(
            "figcaption",
            {},
            el("b", { text: predicted }),
            el("span", {
              text: `${percent(probabilities[predicted], 0)} sure; it is ${truth} (${percent(probabilities[truth], 0)})`,
            }),
          ),
        ),
      ),
    );
  }

  return {
    node,
    get report() {
      return report;
    },
    async show(card, lines) {
      const wanted = card?.report ? card.name : null;
      if (wanted === shown) return;
      shown = wanted;
      node.hidden = true;
      report = null;
      if (!wanted) return;
      const answer = await requestJson(`runs/${wanted}/report`).catch(noReport);
      if (!answer || wanted !== shown) {
        shown = null;
        return;
      }
      report = answer;
      const first = lines.find(({ stage }) => stage === "backbone");
      drawWords(first ? first.validation_accuracy : null);
      drawMatrix();
      drawClasses();
      drawMistakes(wanted, card.pictures_shown);
      node.hidden = false;
    },
  };
}
