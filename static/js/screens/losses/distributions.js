/* Two distributions over prototypes, one above the other, and where each prototype fires elsewhere. */
import { el } from "../../ui/dom.js";
import { percent } from "../../ui/format.js";
import { remainder, standOut } from "./arithmetic.js";

/** @typedef {(node: HTMLElement, which: { place: number, example: number }) => void} PaintExample */

const ROWS = 8; // prototypes that are named; one row more for all others
const EXAMPLES = 3;

const share = (/** @type {number} */ value) => percent(value, value < 0.0995 ? 1 : 0);

/** Whose bar is whose. */
export const distributionKey = () =>
  el(
    "p",
    { class: "inside-note inside-key" },
    el("i", { class: "teacher" }),
    el("span", { text: "teacher's target" }),
    el("i", { class: "student" }),
    el("span", { text: "student's answer" }),
  );

/** Rows are made once; `draw` only moves bars and pictures. */
export function createDistributions() {
  const rows = Array.from({ length: ROWS + 1 }, createRow);
  return {
    node: el("ol", { class: "inside-distribution" }, ...rows.map((row) => row.node)),

    /**
     * @param {object} answers of one place
     * @param {Int32Array} answers.columns [C] numbers of the prototypes
     * @param {Float32Array} answers.teacher [C]
     * @param {Float32Array} answers.student [C]
     * @param {number} answers.prototypes how many the head has
     * @param {PaintExample} paint
     */
    draw({ columns, teacher, student, prototypes }, paint) {
      const chosen = standOut(teacher, student, ROWS);
      const high = Math.max(...chosen.flatMap((place) => [teacher[place], student[place]]), 1e-9);
      rows.forEach((row, i) => {
        const place = chosen[i];
        if (i === ROWS)
          row.drawRest(`${prototypes - chosen.length} others`, [
            remainder(teacher, chosen),
            remainder(student, chosen),
          ]);
        else if (place === undefined) row.node.hidden = true;
        else {
          row.draw(`#${columns[place]}`, [teacher[place], student[place]], high);
          row.pictures.forEach((picture, example) => paint(picture, { place, example }));
        }
      });
    },
  };
}

function createRow() {
  const title = el("span", { class: "name" }),
    bars = [el("i", { class: "teacher" }), el("i", { class: "student" })],
    numbers = [el("b"), el("b")],
    pictures = Array.from({ length: EXAMPLES }, () => el("i", { class: "inside-example" }));
  const node = el(
    "li",
    {},
    title,
    el("span", { class: "bars" }, ...bars),
    el("span", { class: "values" }, ...numbers),
    el("span", { class: "examples" }, ...pictures),
  );

  /**
   * @param {string} text
   * @param {readonly number[]} values teacher's and student's
   * @param {number} high the full width of a bar; 0: no bars
   */
  function draw(text, values, high) {
    node.hidden = false;
    title.textContent = text;
    values.forEach((value, side) => {
      bars[side].style.width = high ? `${(100 * value) / high}%` : "0";
      numbers[side].textContent = share(value);
    });
  }

  return {
    node,
    pictures,
    draw,
    /** @param {string} text @param {readonly number[]} values */
    drawRest(text, values) {
      node.classList.add("rest");
      for (const picture of pictures) picture.hidden = true;
      draw(text, values, 0);
    },
  };
}
