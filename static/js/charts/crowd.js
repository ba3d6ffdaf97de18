/* More points than a screen can show one by one: sorted by place, drawn as a density of colours where
   many share a pixel, and one by one where one has zoomed in.

   A point adds 1 and its colour to the pixels it covers. A pixel then has the mean of its colours, the
   more opaque the more points lie on it: by the logarithm, so that one alone is seen beside a
   thousand. While the map moves a sample is enough, of which each point counts for several. */
import { mixed } from "./pixels.js";
import { Buckets } from "./points.js";

/** @typedef {import("./pixels.js").PixelCanvas} PixelCanvas */
/** @typedef {import("./viewport.js").Viewport} Viewport */
/** @typedef {readonly [from: number, to: number]} Range of sorted points */

export const CROWD = 20_000; // points; up to here each one is a disc
const WHILE_MOVING = 150_000; // points in sight that are drawn while the map moves
const FAINTEST = 0.45; // opacity of a point alone
const LARGE_UP_TO = 200_000; // points in sight that are 2 px wide

/**
 * @typedef {object} Plane where the plane lies on the canvas, px
 * @property {number} left
 * @property {number} top
 * @property {number} unit px for 1
 */

export class Crowd {
  /** @param {Float32Array} points [2n]; those that are not a number are still to come */
  constructor(points) {
    this.buckets = new Buckets(points);
    const { members } = this.buckets;
    this.xy = new Float32Array(2 * members.length);
    for (let at = 0; at < members.length; at++) {
      this.xy[2 * at] = points[2 * members[at]];
      this.xy[2 * at + 1] = points[2 * members[at] + 1];
    }
    this.colours = new Uint32Array(members.length);
    /** @type {Uint8Array | null} */
    this.highlighted = null;
  }

  /** @param {Uint32Array} colours [n], packed */
  paint(colours) {
    const { members } = this.buckets;
    for (let at = 0; at < members.length; at++) this.colours[at] = colours[members[at]];
    return this;
  }

  /** @param {Uint8Array | null} mask [n] */
  highlight(mask) {
    const { members } = this.buckets;
    this.highlighted = mask && new Uint8Array(members.length);
    if (mask && this.highlighted)
      for (let at = 0; at < members.length; at++) this.highlighted[at] = mask[members[at]];
    return this;
  }

  /**
   * The runs of sorted points in which everything in sight lies, and a little more.
   *
   * @param {Viewport} viewport
   * @returns {{ ranges: Range[], count: number }}
   */
  inSight(viewport) {
    const [left, top] = viewport.toPlane(0, 0),
      [right, bottom] = viewport.toPlane(viewport.width, viewport.height),
      ranges = this.buckets.rangesOf(left, top, right, bottom);
    let count = 0;
    for (const [from, to] of ranges) count += to - from;
    return { ranges, count };
  }
}

/** Points of each pixel and the sums of their colours, [4 pixels]. */
export class Density {
  #sums = new Uint32Array(0);
  #width = 0;
  #height = 0;

  /** @param {number} width px @param {number} height */
  begin(width, height) {
    if (this.#sums.length !== 4 * width * height) this.#sums = new Uint32Array(4 * width * height);
    this.#width = width;
    this.#height = height;
  }

  /**
   * @param {Float32Array} xy [2n]
   * @param {Uint32Array} colours [n], packed
   * @param {Plane} plane
   * @param {object} which
   * @param {number} which.from
   * @param {number} which.to
   * @param {number} [which.step] every so many-th, which counts for as many
   * @param {number} [which.side] px that a point covers
   * @param {Uint8Array | null} [which.mask] [n], and only those that have `value` there
   * @param {number} [which.value]
   */
  add(xy, colours, plane, { from, to, step = 1, side = 1, mask = null, value = 1 }) {
    const width = this.#width,
      height = this.#height,
      { unit } = plane,
      left = plane.left - side / 2,
      top = plane.top - side / 2;
    for (let at = from; at < to; at += step) {
      if (mask && mask[at] !== value) continue;
      const x = Math.round(left + xy[2 * at] * unit),
        y = Math.round(top + xy[2 * at + 1] * unit);
      if (!(x >= 0 && y >= 0 && x + side <= width && y + side <= height)) continue; // or no number
      this.#put(4 * (y * width + x), side, step, colours[at]);
    }
  }

  /**
   * @param {number} first of the sums of its upper left pixel
   * @param {number} side px
   * @param {number} weight
   * @param {number} colour packed
   */
  #put(first, side, weight, colour) {
    const sums = this.#sums,
      red = weight * (colour & 255),
      green = weight * ((colour >>> 8) & 255),
      blue = weight * ((colour >>> 16) & 255);
    for (let row = 0, line = first; row < side; row++, line += 4 * this.#width)
      for (let p = line; p < line + 4 * side; p += 4) {
        sums[p] += weight;
        sums[p + 1] += red;
        sums[p + 2] += green;
        sums[p + 3] += blue;
      }
  }

  /**
   * Lays what was added over the pixels, and begins anew.
   *
   * @param {Uint32Array} words the pixels, packed
   * @param {number} [share] of the opacity
   */
  end(words, share = 1) {
    const sums = this.#sums,
      most = this.#most(),
      scale = (1 - FAINTEST) / Math.max(Math.log(most), 1e-9);
    for (let i = 0, p = 0; i < words.length; i++, p += 4) {
      const count = sums[p];
      if (!count) continue;
      const colour =
          (sums[p + 1] / count) |
          0 |
          (((sums[p + 2] / count) | 0) << 8) |
          (((sums[p + 3] / count) | 0) << 16),
        opacity = share * (FAINTEST + scale * Math.log(count));
      words[i] = mixed(colour, words[i], Math.round(256 * Math.min(opacity, 1)));
      sums[p] = sums[p + 1] = sums[p + 2] = sums[p + 3] = 0;
    }
  }

  #most() {
    let most = 1;
    for (let p = 0; p < this.#sums.length; p += 4) if (this.#sums[p] > most) most = this.#sums[p];
    return most;
  }
}

/**
 * How a crowd is drawn: who, how densely, how large.
 *
 * @param {number} count in sight
 * @param {boolean} moving
 * @param {number} ratio px of the canvas for one of the page
 */
export function manner(count, moving, ratio) {
  return {
    single: count <= CROWD,
    step: moving ? Math.max(1, Math.ceil(count / WHILE_MOVING)) : 1,
    side: Math.max(1, Math.round(ratio * (count <= LARGE_UP_TO ? 2 : 1))),
  };
}
