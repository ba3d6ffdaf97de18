/* How far the teacher is from the student, layer by layer. */
import { el } from "../../ui/dom.js";
import { percent, short, spaced } from "../../ui/format.js";

/**
 * @typedef {object} LayerDistance
 * @property {string} name
 * @property {number} relative difference / student
 * @property {number} parameters
 * @property {number} student length of its weights
 * @property {number} difference length of the difference
 */
/** @typedef {{ run: string, step: number, layers: LayerDistance[] }} Distance */

export function createTeacher() {
  const note = el("p", { class: "inside-note" }),
    box = el("div", { class: "inside-lag inside-scroll" });
  return {
    node: el(
      "section",
      { class: "inside-teacher" },
      el("h2", { text: "How far the teacher is from the student" }),
      note,
      box,
    ),
    /** @param {import("./state.js").State} state */
    draw({ distance, distanceNote }) {
      note.textContent = distanceNote;
      box.replaceChildren(...(distance ? [tableOf(distance)] : []));
    },
  };
}

/**
 * The distance that fills a bar. Class, mask and register tokens begin at almost 0: any move is a large
 * share of them, so they do not set the scale.
 *
 * @param {readonly LayerDistance[]} layers
 */
export const scaleOf = (layers) =>
  Math.max(
    ...layers.filter(({ name }) => !/token|register/.test(name)).map(({ relative }) => relative),
    1e-12,
  );

/** @param {Distance} distance */
function tableOf({ layers }) {
  const top = scaleOf(layers);
  const heads = ["layer", "", "distance", "weights"].map((text) =>
    el("th", { scope: "col", text }),
  );
  return el(
    "table",
    { class: "inside-table" },
    el("thead", {}, el("tr", {}, ...heads)),
    el("tbody", {}, ...layers.map((layer) => rowOf(layer, top))),
  );
}

/** @param {LayerDistance} layer @param {number} top */
const rowOf = ({ name, relative, parameters, student, difference }, top) =>
  el(
    "tr",
    { title: `student ${short(student)}, difference ${short(difference)}` },
    el("th", { scope: "row", text: name }),
    el(
      "td",
      { class: "bar" },
      el("i", {
        class: relative > top ? "beyond" : null,
        style: `width:${Math.min((100 * relative) / top, 100)}%`,
      }),
    ),
    el("td", { text: percent(relative, relative < 0.001 ? 4 : 2) }),
    el("td", { text: spaced(parameters) }),
  );
