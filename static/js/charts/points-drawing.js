/* The points of a scatter on their canvas: slice by slice, in as many frames as that takes. */
import { manner } from "./crowd.js";
import { Density } from "./density.js";
import { FAINT } from "./groups.js";
import { mixed, packed } from "./pixels.js";
import { PALE, pixelRatio } from "./scatter-drawing.js";

/** @typedef {import("./viewport.js").Viewport} Viewport */

/**
 * @typedef {object} Drawn what is drawn, and where
 * @property {Viewport} viewport
 * @property {import("./crowd.js").Crowd | import("./crowd.js").Loose} crowd
 * @property {number} ground packed
 */

const STANDS_BACK = 80; // of 256: how much of FAINT is seen of a point that is not highlighted

export class PointsDrawing {
  /** Of a disc, px of the page. */
  radius = 1;
  /** @type {Drawn | null} */
  #drawn = null;
  #behind = new Density();
  #front = new Density();
  #single = true;
  #side = 1;
  #added = 0; // slices that are in the densities
  #points = 0; // of those

  /** @param {import("./pixels.js").PixelCanvas} pixels */
  constructor(pixels) {
    this.pixels = pixels;
  }

  /** What is drawn from the next step on. @param {Drawn} drawn */
  begin(drawn) {
    const { viewport, crowd } = drawn,
      ratio = pixelRatio();
    this.#drawn = drawn;
    this.#added = this.#points = 0;
    if (!crowd.there) crowd.grow(); // by the first one is estimated how many there are in sight
    const count = crowd.countInSight(viewport);
    ({ single: this.#single, side: this.#side } = manner(count, ratio));
    this.radius = radiusOf(count, viewport.zoom, ratio);
    if (this.#single) return;
    const { width, height } = sizeOf(viewport);
    this.#front.begin(width, height);
    if (crowd.isDivided) this.#behind.begin(width, height);
  }

  /**
   * Draws more of it.
   *
   * @param {number} [patience] ms after which it stops; a slice is drawn in any case
   * @returns {boolean} whether there is more to draw
   */
  step(patience = Infinity) {
    if (!this.#drawn) return false;
    const until = performance.now() + patience,
      { viewport, ground } = this.#drawn,
      { width, height } = sizeOf(viewport);
    let more;
    this.pixels.begin(width, height, ground);
    if (this.#single) {
      do more = this.#drawn.crowd.grow();
      while (more && performance.now() < until);
      this.#stamp(this.#drawn);
    } else {
      do more = this.#add(this.#drawn);
      while (more && performance.now() < until);
      this.#lay(this.#drawn);
    }
    this.pixels.end();
    return more;
  }

  /** Every point in sight as a disc. @param {Drawn} drawn */
  #stamp({ viewport, crowd, ground }) {
    const { left, top, unit } = planeOf(viewport),
      faint = mixed(packed(FAINT), ground, STANDS_BACK);
    this.pixels.use(this.radius * pixelRatio());
    for (const value of crowd.isDivided ? [0, 1] : [1])
      for (const slice of crowd.slices) {
        const { xy, colours, highlighted } = slice;
        for (const [from, to] of slice.inSight(viewport))
          for (let at = from; at < to; at++)
            if (!highlighted || highlighted[at] === value)
              this.pixels.dot(
                left + xy[2 * at] * unit,
                top + xy[2 * at + 1] * unit,
                value ? colours[at] : faint,
              );
      }
  }

  /** One more slice to the densities; false where there is none. @param {Drawn} drawn */
  #add({ viewport, crowd }) {
    if (this.#added === crowd.slices.length && !crowd.grow()) return false;
    const slice = crowd.slices[this.#added++],
      plane = planeOf(viewport);
    for (const [from, to] of slice.inSight(viewport)) {
      this.#front.add(slice, plane, { from, to, side: this.#side, value: 1 });
      if (crowd.isDivided) this.#behind.add(slice, plane, { from, to, side: this.#side, value: 0 });
    }
    this.#points += slice.colours.length;
    return true;
  }

  /** @param {Drawn} drawn */
  #lay({ crowd }) {
    const { words } = this.pixels,
      weight = crowd.length / Math.max(this.#points, 1);
    if (crowd.isDivided) this.#behind.lay(words, { weight, share: PALE });
    this.#front.lay(words, { weight });
  }
}

/** Of the canvas, px. @param {Viewport} viewport */
function sizeOf({ width, height }) {
  const ratio = pixelRatio();
  return { width: Math.round(width * ratio), height: Math.round(height * ratio) };
}

/** @param {Viewport} viewport @returns {import("./density.js").Plane} */
function planeOf(viewport) {
  const ratio = pixelRatio(),
    [left, top] = viewport.toScreen(0, 0);
  return { left: left * ratio, top: top * ratio, unit: viewport.unit * ratio };
}

/**
 * Of a disc, px of the page; whole quarters on the canvas.
 *
 * @param {number} count in sight
 * @param {number} zoom
 * @param {number} ratio px of the canvas for one of the page
 */
function radiusOf(count, zoom, ratio) {
  const among = Math.min(Math.max(130 / Math.sqrt(count), 2.4), 6),
    near = Math.min(zoom ** 0.25, 1.7);
  return Math.round(4 * among * near * ratio) / 4 / ratio;
}
