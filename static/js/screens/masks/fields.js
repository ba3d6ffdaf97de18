/* What the teacher and the student see, plain random masking beside it, and both in numbers. */
import { paintRgb } from "../../ui/canvas.js";
import { el } from "../../ui/dom.js";
import { percent } from "../../ui/format.js";
import { tableHead, tableRow } from "../../ui/table.js";
import { currentMask, patchCount } from "./state.js";

/** @typedef {import("./state.js").Loaded} Loaded */
/** @typedef {import("./state.js").MasksScene} MasksScene */

/* The mask token has no picture of its own: stripes of a colour that grey crops do not have. */
const GROUND = [88, 90, 146];
const STRIPE = [126, 129, 188];

export function createFields() {
  const teacher = el("canvas", { class: "smooth" }),
    student = el("canvas", { class: "smooth" }),
    random = el("canvas", { class: "smooth" }),
    numbers = el("table", { class: "inside-table" });
  const figure = (
    /** @type {HTMLCanvasElement} */ canvas,
    /** @type {string} */ title,
    /** @type {string} */ text,
  ) =>
    el(
      "figure",
      { class: "inside-mask" },
      canvas,
      el("figcaption", {}, el("b", { text: title }), el("span", { text })),
    );
  return {
    node: el(
      "div",
      { class: "inside-fields" },
      figure(teacher, "The teacher sees", "every patch"),
      figure(student, "The student sees", "the mask token where it is striped"),
      figure(random, "Random masking", "as many patches, one by one"),
      el("div", {}, numbers),
    ),
    canvases: [teacher, student, random],

    /** Another mask. @param {Loaded} loaded */
    build(loaded) {
      const { scene } = loaded,
        [size] = scene.shapes.pixels;
      paintRgb(teacher, scene.pixels, size, size);
      paintMasked(random, scene, currentMask(loaded).random);
      numbers.replaceChildren(tableHead("", "blocks", "random"), numberRows(loaded));
    },

    /** @param {Loaded} loaded @param {Uint16Array} owners */
    draw: ({ scene }, owners) => paintMasked(student, scene, owners),
  };
}

/**
 * The crop with hidden patches striped.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {MasksScene} scene
 * @param {ArrayLike<number>} hidden [P]
 */
function paintMasked(canvas, scene, hidden) {
  const [h, w] = scene.facts.grid,
    [size] = scene.shapes.pixels,
    patch = size / h,
    rgb = scene.pixels.slice();
  for (let y = 0; y < size; y++)
    for (let x = 0; x < size; x++) {
      if (!hidden[Math.floor(y / patch) * w + Math.floor(x / patch)]) continue;
      rgb.set((x + y) % 7 < 2 ? STRIPE : GROUND, 3 * (y * size + x));
    }
  paintRgb(canvas, rgb, size, size);
}

/** @param {Loaded} loaded */
function numberRows(loaded) {
  const { target, achieved, rejected, blocks, neighbours } = currentMask(loaded),
    share = percent(achieved / patchCount(loaded.scene));
  const of4 = (/** @type {number} */ value) => (achieved ? `${value.toFixed(2)} of 4` : "–");
  return el(
    "tbody",
    {},
    tableRow("wanted", target, achieved),
    tableRow("hidden", achieved, achieved),
    tableRow("of the crop", share, share),
    tableRow("blocks kept", blocks.length, "–"),
    tableRow("tries not kept", rejected, "–"),
    tableRow("visible neighbours", of4(neighbours[0]), of4(neighbours[1])),
  );
}
