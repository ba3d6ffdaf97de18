/* Points that share pixels, as a density of their colours.

   A point adds 1 and its colour to the pixels it covers. A pixel then has the mean of its colours, the
   more opaque the more points lie on it: by the logarithm, so that one alone is seen beside a
   thousand. A sample is laid out as what it stands for, each of its points for several. */
import { mixed } from "./pixels.js";

/** @typedef {import("./crowd.js").Drawable} Drawable */

/**
 * @typedef {object} Plane where the plane lies on the canvas, px
 * @property {number} left
 * @property {number} top
 * @property {number} unit px for 1
 */

const FAINTEST = 0.45; // opacity of a point alone
const LOOKED_UP = 1024; // points of a pixel up to which its opacity is computed once

export class Density {
  /** Points of each pixel and the sums of their colours, [4 pixels]. */
  #sums = new Uint32Array(0);
  #width = 0;
  #height = 0;
  /** points of the fullest pixel */
  #most = 1;

  /** Empty. @param {number} width px @param {number} height */
  begin(width, height) {
    if (this.#sums.length === 4 * width * height) this.#sums.fill(0);
    else this.#sums = new Uint32Array(4 * width * height);
    this.#width = width;
    this.#height = height;
    this.#most = 1;
  }

  /**
   * @param {Drawable} points
   * @param {Plane} plane
   * @param {object} which
   * @param {number} which.from
   * @param {number} which.to
   * @param {number} [which.side] px that a point covers
   * @param {0 | 1} [which.value] only those that have it in `highlighted`, if there is one
   */
  add({ xy, colours, highlighted }, plane, { from, to, side = 1, value = 1 }) {
    const width = this.#width,
      height = this.#height,
      { unit } = plane,
      left = plane.left - side / 2,
      top = plane.top - side / 2;
    let most = this.#most;
    for (let at = from; at < to; at++) {
      if (highlighted && highlighted[at] !== value) continue;
      const x = Math.round(left + xy[2 * at] * unit),
        y = Math.round(top + xy[2 * at + 1] * unit);
      if (!(x >= 0 && y >= 0 && x + side <= width && y + side <= height)) continue; // or no number
      most = Math.max(most, this.#put(4 * (y * width + x), side, colours[at]));
    }
    this.#most = most;
  }

  /**
   * @param {number} first of the sums of its upper left pixel
   * @param {number} side px
   * @param {number} colour packed
   * @returns {number} points of the fullest of its pixels
   */
  #put(first, side, colour) {
    const sums = this.#sums,
      red = colour & 255,
      green = (colour >>> 8) & 255,
      blue = (colour >>> 16) & 255;
    let most = 0;
    for (let row = 0, line = first; row < side; row++, line += 4 * this.#width)
      for (let p = line; p < line + 4 * side; p += 4) {
        const count = ++sums[p];
        sums[p + 1] += red;
        sums[p + 2] += green;
        sums[p + 3] += blue;
        if (count > most) most = count;
      }
    return most;
  }

  /**
   * Lays what was added so far over the pixels.
   *
   * @param {Uint32Array} words the pixels, packed
   * @param {object} [how]
   * @param {number} [how.weight] how many points each one stands for
   * @param {number} [how.share] of the opacity
   */
  lay(words, { weight = 1, share = 1 } = {}) {
    const sums = this.#sums,
      opacityOf = this.#opacities(weight, share),
      known = Uint16Array.from({ length: LOOKED_UP }, (_, count) => opacityOf(count));
    for (let i = 0, p = 0; i < words.length; i++, p += 4) {
      const count = sums[p];
      if (!count) continue;
      const colour =
          (sums[p + 1] / count) |
          0 |
          (((sums[p + 2] / count) | 0) << 8) |
          (((sums[p + 3] / count) | 0) << 16),
        opacity = count < LOOKED_UP ? known[count] : opacityOf(count);
      words[i] = mixed(colour, words[i], opacity);
    }
  }

  /**
   * @param {number} weight
   * @param {number} share
   * @returns {(count: number) => number} of 256
   */
  #opacities(weight, share) {
    const scale = (1 - FAINTEST) / Math.max(Math.log(this.#most * weight), 1e-9);
    return (count) => {
      const opacity = share * (FAINTEST + scale * Math.log(Math.max(count * weight, 1)));
      return Math.round(256 * Math.min(opacity, 1));
    };
  }
}
