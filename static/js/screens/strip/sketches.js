/* The small pictures of the strip: what each screen is about, as little more than a gesture. */
import { paintMap, paintRgb } from "../../ui/canvas.js";
import { penOf } from "../../ui/dom.js";

/** @typedef {import("../../types/scenes").strip.StripScene} StripScene */

const MASK_TOKEN = "rgb(99 101 158)"; // as on the screen of masks

/**
 * A veil over the picture, for steps that are not about a place in it; they are sketched on top.
 *
 * @param {HTMLCanvasElement} canvas
 */
function veil(canvas) {
  canvas.width = 150;
  canvas.height = 100;
  const pen = penOf(canvas);
  pen.fillStyle = "rgb(17 24 39 / 0.72)";
  pen.fillRect(0, 0, 150, 100);
  return pen;
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {(step: number) => number} value of each of 60 steps, 0 to 1
 */
function curve(canvas, value) {
  const pen = veil(canvas);
  pen.strokeStyle = "#fff";
  pen.lineWidth = 3;
  pen.beginPath();
  for (let step = 0; step < 60; step++) pen.lineTo(14 + (step * 122) / 59, 84 - 66 * value(step));
  pen.stroke();
}

/** @param {HTMLCanvasElement} canvas @param {StripScene} scene */
function crops(canvas, { facts }) {
  const [W, H] = facts.picture_size,
    scale = 160 / Math.max(W, H),
    pen = penOf(canvas);
  canvas.width = Math.round(W * scale);
  canvas.height = Math.round(H * scale);
  facts.boxes.forEach(([x0, y0, x1, y1], i) => {
    pen.strokeStyle = `rgb(${facts.colours[i]})`;
    pen.lineWidth = i < 2 ? 4 : 2;
    pen.strokeRect(x0 * scale, y0 * scale, (x1 - x0) * scale, (y1 - y0) * scale);
  });
}

/** @param {HTMLCanvasElement} canvas @param {StripScene} scene */
function masks(canvas, { crop, mask, shapes }) {
  const [h, w] = shapes.mask,
    [side] = shapes.crop;
  const edge = (/** @type {number} */ i, /** @type {number} */ n) => Math.round((i * side) / n);
  paintRgb(canvas, crop, side, side);
  const pen = penOf(canvas);
  pen.fillStyle = MASK_TOKEN;
  mask.forEach((hidden, i) => {
    const row = Math.floor(i / w),
      col = i % w,
      [x, y] = [edge(col, w), edge(row, h)];
    if (hidden) pen.fillRect(x, y, edge(col + 1, w) - x, edge(row + 1, h) - y);
  });
}

/**
 * The features as they are, and what is left of them. @param {HTMLCanvasElement} canvas
 * @param {StripScene} scene
 */
function whatif(canvas, { features, shapes }) {
  const [h, w] = shapes.features,
    pen = penOf(canvas);
  paintRgb(canvas, features, h, w);
  pen.fillStyle = "rgb(17 24 39 / 0.78)";
  pen.fillRect(Math.floor(w / 2), 0, w, h);
  pen.fillStyle = "#fff";
  pen.fillRect(Math.floor(w / 2), 0, 0.4, h);
}

/** What the teacher says of a few prototypes, and the student. @param {HTMLCanvasElement} canvas */
function losses(canvas) {
  const pen = veil(canvas);
  const heights = [
    [52, 34],
    [30, 44],
    [20, 12],
    [8, 22],
    [5, 9],
  ];
  heights.forEach((pair, i) =>
    pair.forEach((height, side) => {
      pen.fillStyle = side ? "#fdba74" : "#a5b4fc";
      pen.fillRect(16 + 25 * i + 9 * side, 84 - height, 8, height);
    }),
  );
}

/** Groups of pictures on a map. @param {HTMLCanvasElement} canvas */
function gallery(canvas) {
  const pen = veil(canvas),
    golden = 2.39996; // rad: seeds of a sunflower
  /** @type {[number, number, string][]} */
  const groups = [
    [40, 38, "#a5b4fc"],
    [106, 30, "#fdba74"],
    [84, 72, "#5eead4"],
  ];
  for (const [x, y, colour] of groups) {
    pen.fillStyle = colour;
    for (let i = 0; i < 12; i++) {
      const far = Math.sqrt(i),
        angle = golden * i;
      pen.beginPath();
      pen.arc(x + 6.2 * far * Math.cos(angle), y + 5.2 * far * Math.sin(angle), 3.2, 0, 7);
      pen.fill();
    }
  }
}

/** Pictures in rows and columns. @param {HTMLCanvasElement} canvas */
function tray(canvas) {
  const pen = veil(canvas),
    colours = ["#a5b4fc", "#fdba74", "#5eead4"];
  for (let row = 0; row < 3; row++)
    for (let column = 0; column < 4; column++) {
      pen.fillStyle = column ? colours[(row + column) % 3] : "rgb(255 255 255 / 0.75)";
      pen.fillRect(21 + 28 * column, 15 + 25 * row, 24, 20);
    }
}

/** Lines of a program, one of them lit. @param {HTMLCanvasElement} canvas */
function program(canvas) {
  const pen = veil(canvas);
  [78, 104, 92, 60, 86].forEach((width, i) => {
    pen.fillStyle = i === 2 ? "#a5b4fc" : "rgb(255 255 255 / 0.55)";
    pen.fillRect(i ? 30 : 18, 18 + 14 * i, i ? width - 12 : width, 6);
  });
}

/** @type {Record<string, (canvas: HTMLCanvasElement, scene: StripScene) => void>} */
export const SKETCHES = {
  crops,
  masks,
  tokens(canvas, { norms, shapes }) {
    const [h, w] = shapes.norms;
    paintMap(canvas, norms, { grid: [h, w], low: Math.min(...norms), high: Math.max(...norms) });
  },
  attention(canvas, { attention, shapes }) {
    const [h, w] = shapes.attention;
    paintMap(canvas, attention, { grid: [h, w], high: Math.max(...attention) });
  },
  features(canvas, { features, shapes }) {
    const [h, w] = shapes.features;
    paintRgb(canvas, features, h, w);
  },
  whatif,
  losses,
  update: (canvas) =>
    curve(canvas, (i) => (i < 7 ? i / 7 : 0.5 + 0.5 * Math.cos((Math.PI * (i - 7)) / 52))),
  step: program,
  training: (canvas) =>
    curve(
      canvas,
      (i) => 0.12 + 0.8 * Math.exp(-i / 16) + 0.05 * Math.sin(1.7 * i) * Math.exp(-i / 40),
    ),
  tray,
  gallery,
};
