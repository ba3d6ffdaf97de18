/* The thumbnails of a large gallery: those in sight are fetched together, on one sheet. Whoever zooms
   on before they come is not kept waiting by those that have left the screen. */
import { el, penOf } from "../../ui/dom.js";
import { keepNewest, Wanted } from "./wanted.js";

const TILE = 64; // px
const ACROSS = 16; // on a sheet
const AT_ONCE = 128; // tiles of a sheet
const KEPT = 2000; // tiles

export class TileThumbnails {
  /** @type {Map<number, HTMLCanvasElement>} picture -> its tile, the oldest first */
  #known = new Map();
  /** @type {Map<number, (() => void)[]>} picture -> who paints it when it comes */
  #waiting = new Map();

  /**
   * @param {(indices: number[]) => string} url
   * @param {() => void} onarrive some have come
   */
  constructor(url, onarrive) {
    this.wanted = new Wanted({
      atOnce: AT_ONCE,
      isNeeded: (index) => this.#waiting.has(index),
      fetch: async (indices) => {
        const sheet = new Image();
        sheet.src = url(indices);
        await sheet.decode(); // beside the page's own work
        indices.forEach((index, at) => this.#keep(index, sheet, at));
        onarrive();
      },
    });
  }

  /** @param {number} index */
  #tile(index) {
    const known = this.#known.get(index);
    if (known) return known;
    this.wanted.want(index);
    return null;
  }

  /** @param {number} index @param {HTMLImageElement} sheet @param {number} at on it */
  #keep(index, sheet, at) {
    const canvas = el("canvas", { width: TILE, height: TILE }),
      [x, y] = [TILE * (at % ACROSS), TILE * Math.floor(at / ACROSS)];
    penOf(canvas).drawImage(sheet, x, y, TILE, TILE, 0, 0, TILE, TILE);
    keepNewest(this.#known, index, canvas, KEPT);
    for (const paint of this.#waiting.get(index) ?? []) paint();
    this.#waiting.delete(index);
  }

  /**
   * A picture's tile for the map; null until it has come.
   *
   * @param {number} index
   */
  small(index) {
    return this.#tile(index);
  }

  /**
   * Paints a picture's tile into a small canvas, now or when it comes.
   *
   * @param {HTMLCanvasElement} canvas
   * @param {number} index
   */
  paint(canvas, index) {
    canvas.width = canvas.height = TILE;
    canvas.dataset.index = String(index);
    const draw = () => {
      const tile = this.#known.get(index);
      if (tile && canvas.dataset.index === String(index)) penOf(canvas).drawImage(tile, 0, 0);
    };
    if (this.#tile(index)) draw();
    else this.#waiting.set(index, [...(this.#waiting.get(index) ?? []), draw]);
    return canvas;
  }

  /** A canvas with a picture's tile. @param {number} index */
  face(index) {
    return this.paint(el("canvas", { class: "smooth", "aria-hidden": "true" }), index);
  }
}
