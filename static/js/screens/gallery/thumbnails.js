/* The thumbnails of a gallery: sheets of 32 x 32 tiles, each fetched when its first tile is wanted. */
import { el, penOf } from "../../ui/dom.js";

const TILE = 64; // px
const ACROSS = 32;
const SHEET = ACROSS * ACROSS;
const SCALED = 1500; // tiles kept at the size of the map

export class Thumbnails {
  /** @type {Map<number, HTMLImageElement>} */
  #sheets = new Map();
  /** @type {Map<number, (() => void)[]>} sheet -> who waits for it */
  #waiting = new Map();
  /** @type {Map<string, HTMLCanvasElement>} */
  #scaled = new Map();

  /**
   * @param {(sheet: number) => string} url
   * @param {() => void} onarrive a sheet has come
   */
  constructor(url, onarrive) {
    this.url = url;
    this.onarrive = onarrive;
  }

  /** @param {number} number */
  #sheet(number) {
    const known = this.#sheets.get(number);
    if (known) return known;
    const image = new Image();
    image.onload = () => {
      for (const paint of this.#waiting.get(number) ?? []) paint();
      this.#waiting.delete(number);
      this.onarrive();
    };
    image.src = this.url(number);
    this.#sheets.set(number, image);
    return image;
  }

  /**
   * Draws a picture's tile into the whole of a canvas; false while its sheet is not there.
   *
   * @param {HTMLCanvasElement} canvas
   * @param {number} index
   */
  #draw(canvas, index) {
    const image = this.#sheet(Math.floor(index / SHEET)),
      at = index % SHEET,
      [x, y] = [TILE * (at % ACROSS), TILE * Math.floor(at / ACROSS)];
    if (!image.complete || !image.naturalWidth) return false;
    penOf(canvas).drawImage(image, x, y, TILE, TILE, 0, 0, canvas.width, canvas.height);
    return true;
  }

  /**
   * Paints a picture's tile into a small canvas, now or when its sheet comes.
   *
   * @param {HTMLCanvasElement} canvas
   * @param {number} index
   */
  paint(canvas, index) {
    canvas.width = canvas.height = TILE;
    canvas.dataset.index = String(index);
    if (this.#draw(canvas, index)) return canvas;
    const number = Math.floor(index / SHEET);
    const later = () => {
      if (canvas.dataset.index === String(index)) this.#draw(canvas, index);
    };
    this.#waiting.set(number, [...(this.#waiting.get(number) ?? []), later]);
    return canvas;
  }

  /**
   * A picture's tile at the size it has on the map, scaled once; null until its sheet is there.
   *
   * @param {number} index
   * @param {number} side px
   */
  small(index, side) {
    const key = `${index} ${side}`,
      known = this.#scaled.get(key);
    if (known) return known;
    const canvas = el("canvas", { width: side, height: side });
    if (!this.#draw(canvas, index)) return null;
    this.#scaled.set(key, canvas);
    for (const oldest of this.#scaled.keys()) {
      if (this.#scaled.size <= SCALED) break;
      this.#scaled.delete(oldest);
    }
    return canvas;
  }

  /** A canvas with a picture's tile. @param {number} index */
  face(index) {
    return this.paint(el("canvas", { class: "smooth", "aria-hidden": "true" }), index);
  }
}
