/* The picture's crops, masks over them, and who else is in the batch. */
import { paintMap, paintRgb } from "../../ui/canvas.js";
import { el, penOf } from "../../ui/dom.js";
import { legend } from "../../ui/legend.js";
import { rangeOf } from "./arithmetic.js";

/** @typedef {import("./state.js").StepScene} StepScene */

export const GLOBALS = 2; // views that the teacher sees; they are the first two crops
const HIDDEN = 168; // of 255: how much of a masked patch is covered
const LOSS = 226; // the same where a masked patch shows what it costs

/** @param {StepScene} scene @param {number} index */
export function thumbnail(scene, index) {
  const canvas = el("canvas", { class: "smooth", "aria-hidden": "true" }),
    { crops, colours } = scene.facts;
  paintRgb(canvas, scene[`pixels.${index}`], crops[index].size, crops[index].size);
  canvas.style.borderColor = `rgb(${colours[index]})`;
  return canvas;
}

/**
 * Crops beside each other.
 *
 * @param {StepScene} scene
 * @param {{ count: number, masked: boolean }} shown how many of them, and whether masks lie over them
 */
export function cropRow(scene, { count, masked }) {
  const { crops, grid } = scene.facts;
  const cards = crops.slice(0, count).map(({ name, kind }, i) => {
    const hides = masked && i < GLOBALS ? hiddenIn(scene, i) : 0;
    const over = el("canvas", { "aria-hidden": "true" });
    if (hides) paintMask(over, scene, i);
    return el(
      "figure",
      { class: kind },
      el("div", { class: "frame" }, thumbnail(scene, i), hides ? over : null),
      el("figcaption", { text: hides ? `${name}, ${hides} of ${grid[0] * grid[1]} hidden` : name }),
    );
  });
  return el("div", { class: "inside-step-crops" }, ...cards);
}

/** How many patches of a global crop are hidden. @param {StepScene} scene @param {number} crop */
export function hiddenIn({ masks, facts }, crop) {
  const P = facts.grid[0] * facts.grid[1];
  return masks.subarray(crop * P, (crop + 1) * P).reduce((sum, one) => sum + one, 0);
}

/** @param {HTMLCanvasElement} canvas @param {StepScene} scene @param {number} crop */
function paintMask(canvas, { masks, facts }, crop) {
  const [h, w] = facts.grid;
  [canvas.height, canvas.width] = [h, w];
  const pen = penOf(canvas),
    image = pen.createImageData(w, h);
  for (let i = 0; i < h * w; i++)
    if (masks[crop * h * w + i]) image.data.set([52, 54, 112, HIDDEN], 4 * i);
  pen.putImageData(image, 0, 0);
}

/** Whose pictures the batch has beside this one. @param {StepScene} scene */
export const companions = ({ facts }) =>
  el(
    "div",
    { class: "inside-companions" },
    ...facts.companions.map(({ file, title }) =>
      el("img", { src: `inside/samples/thumbs/${file}`, alt: title, title, width: 40, height: 40 }),
    ),
  );

/** What each masked patch of the picture costs, on its crop. @param {StepScene} scene */
export function ibotMaps(scene) {
  const [h, w] = scene.facts.grid,
    costs = Array.from(scene.ibot).filter((value) => value >= 0),
    [low, high] = rangeOf(costs);
  if (!costs.length) return el("div");
  const maps = [0, 1].map((crop) => {
    const over = el("canvas", { "aria-hidden": "true" }),
      values = scene.ibot.subarray(crop * h * w, (crop + 1) * h * w);
    paintMap(over, values, { grid: [h, w], low, high });
    fade(over, values);
    return el(
      "figure",
      { class: "global large" },
      el("div", { class: "frame" }, thumbnail(scene, crop), over),
      el("figcaption", { text: `global ${crop}, ${hiddenIn(scene, crop)} hidden` }),
    );
  });
  return el(
    "div",
    { class: "inside-stack" },
    el("div", { class: "inside-step-crops" }, ...maps),
    legend("magma", low.toFixed(2), `${high.toFixed(2)} nats`),
  );
}

/**
 * Lets the crop through where nothing is asked.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {Float32Array} values
 */
function fade(canvas, values) {
  const pen = penOf(canvas),
    image = pen.getImageData(0, 0, canvas.width, canvas.height);
  values.forEach((value, i) => (image.data[4 * i + 3] = value < 0 ? 0 : LOSS));
  pen.putImageData(image, 0, 0);
}
