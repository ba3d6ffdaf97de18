/* Values of patches as pixels: one pixel a patch, enlarged by the style sheet. */
import { colourTable } from "./colours.js";
import { el, penOf } from "./dom.js";

/**
 * @typedef {object} PatchMap how values become colours
 * @property {readonly [number, number]} grid [h, w] patches
 * @property {number} [offset] where the map begins in its array
 * @property {number} [low] the value of the first colour
 * @property {number} high the value of the last colour
 * @property {string} [colours] name of a colour map
 */

/** @type {WeakMap<HTMLCanvasElement, { pen: CanvasRenderingContext2D, image: ImageData }>} */
const images = new WeakMap();

/**
 * The pixels of a canvas of w x h, kept from one painting to the next; opaque.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {number} h
 * @param {number} w
 */
function imageFor(canvas, h, w) {
  const known = images.get(canvas);
  if (known && canvas.width === w && canvas.height === h) return known;
  canvas.width = w;
  canvas.height = h;
  const pen = penOf(canvas),
    image = pen.createImageData(w, h);
  image.data.fill(255);
  const made = { pen, image };
  images.set(canvas, made);
  return made;
}

/**
 * Paints the values [h * w] of a map, one pixel a patch.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {ArrayLike<number>} values
 * @param {PatchMap} map
 */
export function paintMap(canvas, values, { grid, offset = 0, low = 0, high, colours = "magma" }) {
  const [h, w] = grid,
    { pen, image } = imageFor(canvas, h, w),
    table = colourTable(colours),
    scale = 255 / Math.max(high - low, 1e-12),
    data = image.data;
  for (let i = 0, j = 0; i < h * w; i++, j += 4) {
    const level = (values[offset + i] - low) * scale;
    const at = 3 * (level < 0 ? 0 : level > 255 ? 255 : Math.round(level));
    data[j] = table[at];
    data[j + 1] = table[at + 1];
    data[j + 2] = table[at + 2];
  }
  pen.putImageData(image, 0, 0);
}

/** @type {HTMLCanvasElement | null} */
let offscreen = null;

/**
 * The same into an <img>, for maps that do not change: every canvas is a layer of its own for the
 * browser, and a hundred of them make each frame slow.
 *
 * @param {HTMLImageElement} image
 * @param {ArrayLike<number>} values
 * @param {PatchMap} map
 */
export function printMap(image, values, map) {
  offscreen ??= el("canvas");
  paintMap(offscreen, values, map);
  image.src = offscreen.toDataURL();
}

/**
 * Paints RGB bytes [h * w * 3], one pixel each.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {ArrayLike<number>} rgb
 * @param {number} h
 * @param {number} w
 */
export function paintRgb(canvas, rgb, h, w) {
  const { pen, image } = imageFor(canvas, h, w),
    data = image.data;
  for (let i = 0, j = 0, k = 0; i < h * w; i++, j += 4, k += 3) {
    data[j] = rgb[k];
    data[j + 1] = rgb[k + 1];
    data[j + 2] = rgb[k + 2];
  }
  pen.putImageData(image, 0, 0);
}

/**
 * A canvas with a picture under an overlay: what a PNG of a view holds.
 *
 * @param {CanvasImageSource} image
 * @param {HTMLCanvasElement} overlay gives the shape
 * @param {number} opacity of the overlay, 0 to 1
 * @param {number} [width] px
 */
export function flatten(image, overlay, opacity, width = 1036) {
  const canvas = el("canvas", {
    width,
    height: Math.round((width * overlay.height) / overlay.width),
  });
  const pen = penOf(canvas);
  pen.drawImage(image, 0, 0, canvas.width, canvas.height);
  pen.imageSmoothingEnabled = false;
  pen.globalAlpha = opacity;
  pen.drawImage(overlay, 0, 0, canvas.width, canvas.height);
  return canvas;
}
