/* The test's pictures that were taken for something else, the surest first. */
import { el } from "../../ui/dom.js";
import { percent } from "../../ui/format.js";

/** @typedef {import("./state.js").Report} Report */
/** @typedef {import("./state.js").RunDetails} RunDetails */
/** @typedef {import("../../types/runs").Mistake} Mistake */

const SHOWN = 24;

export function createMistakes() {
  const words = el("p", { class: "inside-note" }),
    list = el("div", { class: "inside-mistakes" });
  return {
    node: el(
      "div",
      { class: "inside-stack" },
      el("h2", { text: "Wrong, and most sure of it" }),
      words,
      list,
    ),

    /** @param {Report} report @param {RunDetails} run */
    draw({ mistakes }, { name, pictures_shown: allowed }) {
      words.textContent = aboutMistakes(mistakes.length, Boolean(allowed));
      const source = (/** @type {Mistake} */ { number }) =>
        allowed ? `runs/${name}/mistakes/${number}.jpg` : null;
      list.replaceChildren(
        ...mistakes.slice(0, SHOWN).map((mistake) => figure(mistake, source(mistake))),
      );
    },
  };
}

/** @param {number} count @param {boolean} allowed to see the pictures */
function aboutMistakes(count, allowed) {
  if (!count) return "None: every test picture was right.";
  if (allowed) return "";
  return "The pictures belong to the visitor who started this run, and only that one sees them.";
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
        text: `${percent(probabilities[predicted], 0)} sure; it is ${truth} (${percent(probabilities[truth], 0)})`,
      }),
    ),
  );
