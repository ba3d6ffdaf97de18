/* What a scatter draws: the points on one canvas, and over them, on another, whatever changes with
   the pointer. */
import { penOf } from "../ui/dom.js";
import { Density, manner } from "./crowd.js";
import { FAINT } from "./groups.js";
import { cssColour, mixed, packed } from "./pixels.js";

/** @typedef {import("./pixels.js").PixelCanvas} PixelCanvas */
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
 * @typedef {object} Frame all that is drawn
 * @property {Viewport} viewport
 * @property {Float32Array} points [2n]
 * @property {import("./crowd.js").Crowd | null} crowd the same points, where they are very many
 * @property {boolean} moving whether the map is on its way, and soon drawn again
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

const STANDS_BACK = 80; // of 256: how much of FAINT is seen of a point that is not highlighted
const PALE = 0.18; // opacity of a picture that is not highlighted
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
const pixelRatio = () => Math.min(devicePixelRatio || 1, 2);

/** Radius of a point, px of the screen, in quarters. @param {Frame} frame */
function radiusOf({ points, viewport, crowd: many }) {
  const count = many ? many.inSight(viewport).count : points.length / 2,
    crowd = Math.min(Math.max(130 / Math.sqrt(count), 2.4), 6),
    near = Math.min(viewport.zoom ** 0.25, 1.7);
  return Math.round(4 * crowd * near * pixelRatio()) / 4;
}

/**
 * @param {PixelCanvas} pixels
 * @param {Frame} frame
 */
export function drawPoints(pixels, frame) {
  const { viewport, points, colours, highlighted, theme } = frame,
    ratio = pixelRatio(),
    width = Math.round(viewport.width * ratio),
    height = Math.round(viewport.height * ratio),
    k = viewport.unit * ratio,
    [left, top] = viewport.toScreen(0, 0).map((one) => one * ratio),
    n = points.length / 2,
    faint = mixed(packed(FAINT), theme.ground, STANDS_BACK);
  pixels.begin(width, height, theme.ground);
  if (frame.crowd) {
    drawCrowd(pixels, frame, frame.crowd, { left, top, unit: k });
    return pixels.end();
  }
  pixels.use(radiusOf(frame));
  if (highlighted)
    for (let i = 0; i < n; i++)
      if (!highlighted[i]) pixels.dot(left + points[2 * i] * k, top + points[2 * i + 1] * k, faint);
  for (let i = 0; i < n; i++)
    if (!highlighted || highlighted[i])
      pixels.dot(left + points[2 * i] * k, top + points[2 * i + 1] * k, colours[i]);
  pixels.end();
}

const density = new Density();

/**
 * @param {PixelCanvas} pixels
 * @param {Frame} frame
 * @param {import("./crowd.js").Crowd} crowd
 * @param {import("./crowd.js").Plane} plane
 */
function drawCrowd(pixels, frame, crowd, plane) {
  const { xy, colours, highlighted } = crowd,
    { ranges, count } = crowd.inSight(frame.viewport),
    { single, step, side } = manner(count, frame.moving, pixelRatio()),
    faint = mixed(packed(FAINT), frame.theme.ground, STANDS_BACK),
    passes = highlighted ? [0, 1] : [1];
  pixels.use(radiusOf(frame));
  density.begin(pixels.image.width, pixels.image.height);
  for (const value of passes) {
    for (const [from, to] of ranges)
      if (single) {
        for (let at = from; at < to; at++)
          if (!highlighted || highlighted[at] === value) {
            const colour = value ? colours[at] : faint;
            pixels.dot(
              plane.left + xy[2 * at] * plane.unit,
              plane.top + xy[2 * at + 1] * plane.unit,
              colour,
            );
          }
      } else density.add(xy, colours, plane, { from, to, step, side, mask: highlighted, value });
    if (!single) density.end(pixels.words, value ? 1 : PALE);
  }
}

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
    r = isPicture ? frame.side / 2 + 4 : radiusOf(frame) / pixelRatio() + 3.5 + wider;
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
