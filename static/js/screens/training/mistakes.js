/* The test's pictures that were taken for something else, the surest first. */
import { el } from "../../ui/dom.js";
import { percent } from "../../ui/format.js";
import { aboutMistakes, mistakesIn } from "./sentences.js";

/** @typedef {import("./state.js").Report} Report */
/** @typedef {import("./state.js").RunDetails} RunDetails */
/** @typedef {import("../../types/runs").Mistake} Mistake */
/** @typedef {import("../../charts/cells.js").Cell} Cell */

const SHOWN = 24; // of all cells together; of one cell, all

/** @param {() => unknown} showAll */
export function createMistakes(showAll) {
  const sentence = el("p", { class: "inside-note", "aria-live": "polite" }),
    all = el("button", {
      class: "inside-button inside-mistakes-all",
      type: "button",
      text: "Show all mistakes",
      onclick: showAll,
    }),
    list = el("div", { class: "inside-mistakes" });
  return {
    node: el(
      "div",
      { class: "inside-stack" },
      el("h2", { text: "Wrong, and most sure of it" }),
      sentence,
      all,
      list,
    ),

    /**
     * @param {Report} report
     * @param {RunDetails} run
     * @param {Cell | null} cell whose mistakes alone are shown
     */
    draw(report, { name, pictures_shown: allowed }, cell) {
      sentence.textContent = aboutMistakes(report, cell, Boolean(allowed));
      all.hidden = !cell;
      const source = (/** @type {Mistake} */ { number }) =>
        allowed ? `runs/${name}/mistakes/${number}.jpg` : null;
      const shown = cell ? mistakesIn(report, cell) : report.mistakes.slice(0, SHOWN);
      list.replaceChildren(...shown.map((mistake) => figure(mistake, source(mistake))));
    },
  };
}

/** @param {Mistake} mistake @param {string | null} source */
const figure = ({ true: truth, predicted, probabilities, file }, source) =>
  el(
    "figure",
    { title: file ?? "" },
    source
      ? el("img", { src: source, alt: `${truth}, taken for ${predicted}`, loading: "lazy" })
      : null,
    el(
      "figcaption",
      {},
      el("b", { text: predicted }),
      el("span", {
        text:
          `${percent(probabilities[predicted], 0)} sure; it is ${truth} ` +
          `(${percent(probabilities[truth], 0)})`,
      }),
    ),
  );
