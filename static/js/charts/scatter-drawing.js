/* What a scatter draws over its points, on a canvas of its own: whatever changes with the pointer. */
import { penOf } from "../ui/dom.js";
import { cssColour, packed } from "./pixels.js";

/** @typedef {import("./points.js").Place} Place */
/** @typedef {import("./viewport.js").Viewport} Viewport */

/** @typedef {{ small(index: number, side: number): CanvasImageSource | null }} Thumbnails */

/**
 * @typedef {object} Ring around a point
 * @property {number} index
 * @property {string} colour
 * @property {number} [wider] px more than the others
 * @property {readonly number[]} [dash]
 * @property {string} [text] above it
 */

/**
 * @typedef {object} Frame all that is drawn over the points
 * @property {Viewport} viewport
 * @property {Float32Array} points [2n]
 * @property {number} radius of a point, px
 * @property {Uint32Array} colours [n], packed
 * @property {Uint8Array | null} highlighted [n], 0: stands back; null: nobody does
 * @property {Thumbnails | null} thumbnails
 * @property {readonly number[]} shown points that are shown as pictures
 * @property {number} side px of a picture
 * @property {readonly Ring[]} rings the last lies on top
 * @property {readonly (readonly [number, number])[]} links lines between points
 * @property {readonly Place[] | null} lasso
 * @property {Theme} theme
 */

/**
 * @typedef {object} Theme colours of the place, as its style sheet has them
 * @property {number} ground packed
 * @property {string} halo
 * @property {string} text
 * @property {string} quiet
 * @property {string} accent
 */

export const PALE = 0.18; // opacity of a picture that is not highlighted
const FRAME = 2.5; // px of colour around a picture

/** @param {Element} node @returns {Theme} */
export function themeOf(node) {
  const style = getComputedStyle(node),
    ground = (style.backgroundColor.match(/[\d.]+/g) ?? ["255", "255", "255"]).slice(0, 3);
  return {
    ground: packed(ground.map(Number)),
    halo: `rgb(${ground.join(" ")})`,
    text: style.color,
    quiet: style.getPropertyValue("--inside-quiet"),
    accent: style.getPropertyValue("--inside-accent"),
  };
}

/** px of the screen for one of the page; more than two are not seen. */
export const pixelRatio = () => Math.min(devicePixelRatio || 1, 2);

/**
 * @param {HTMLCanvasElement} canvas
 * @param {Frame} frame
 */
export function drawOver(canvas, frame) {
  const { viewport } = frame,
    ratio = pixelRatio(),
    pen = penOf(canvas);
  const width = Math.round(viewport.width * ratio),
    height = Math.round(viewport.height * ratio);
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
  }
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, viewport.width, viewport.height);
  for (const index of frame.shown) drawThumbnail(pen, frame, index);
  drawLinks(pen, frame);
  for (const ring of frame.rings) drawRing(pen, frame, ring);
  if (frame.lasso) drawLasso(pen, frame.lasso, frame.theme.accent);
}

/** @param {Frame} frame @param {number} i */
const placeOf = ({ viewport, points }, i) => viewport.toScreen(points[2 * i], points[2 * i + 1]);

/**
 * @param {CanvasRenderingContext2D} pen
 * @param {Frame} frame
 * @param {number} index
 */
function drawThumbnail(pen, frame, index) {
  const { viewport, side, thumbnails, highlighted, colours } = frame,
    ratio = pixelRatio(),
    half = side / 2,
    [x, y] = placeOf(frame, index).map((one) => Math.round(one * ratio) / ratio);
  if (x < -half || y < -half || x > viewport.width + half || y > viewport.height + half) return;
  pen.globalAlpha = !highlighted || highlighted[index] ? 1 : PALE;
  pen.fillStyle = cssColour(colours[index]);
  pen.fillRect(x - half - FRAME, y - half - FRAME, side + 2 * FRAME, side + 2 * FRAME);
  const tile = thumbnails?.small(index, side * ratio);
  if (tile) pen.drawImage(tile, x - half, y - half, side, side);
  pen.globalAlpha = 1;
}

/** @param {CanvasRenderingContext2D} pen @param {Frame} frame */
function drawLinks(pen, frame) {
  pen.strokeStyle = frame.theme.quiet;
  pen.lineWidth = 1;
  pen.globalAlpha = 0.5;
  pen.beginPath();
  for (const [from, to] of frame.links) {
    pen.moveTo(...placeOf(frame, from));
    pen.lineTo(...placeOf(frame, to));
  }
  pen.stroke();
  pen.globalAlpha = 1;
}

/**
 * @param {CanvasRenderingContext2D} pen
 * @param {Frame} frame
 * @param {Ring} ring
 */
function drawRing(pen, frame, { index, colour, wider = 0, dash = [], text }) {
  const [x, y] = placeOf(frame, index),
    isPicture = frame.shown.includes(index),
    r = isPicture ? frame.side / 2 + 4 : frame.radius + 3.5 + wider;
  pen.setLineDash([...dash]);
  for (const [stroke, thick] of /** @type {const} */ ([
    ["rgb(0 0 0 / 0.75)", 4.5],
    [colour, 2.5],
  ])) {
    pen.strokeStyle = stroke;
    pen.lineWidth = thick;
    pen.beginPath();
    if (isPicture) pen.rect(x - r, y - r, 2 * r, 2 * r);
    else pen.arc(x, y, r, 0, 7);
    pen.stroke();
  }
  pen.setLineDash([]);
  if (!text) return;
  pen.font = "600 12px system-ui, sans-serif";
  pen.textAlign = "center";
  pen.lineWidth = 4;
  pen.strokeStyle = frame.theme.halo;
  pen.strokeText(text, x, y - r - 8);
  pen.fillStyle = frame.theme.text;
  pen.fillText(text, x, y - r - 8);
}

/**
 * @param {CanvasRenderingContext2D} pen
 * @param {readonly Place[]} line
 * @param {string} colour
 */
function drawLasso(pen, line, colour) {
  pen.beginPath();
  for (const place of line) pen.lineTo(...place);
  pen.closePath();
  pen.fillStyle = "rgb(99 102 241 / 0.14)";
  pen.fill();
  pen.setLineDash([5, 4]);
  pen.lineWidth = 1.5;
  pen.strokeStyle = colour;
  pen.stroke();
  pen.setLineDash([]);
}
