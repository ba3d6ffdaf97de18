/* More points than a screen can show one by one, as slices: every so many-th point, so that each slice
   alone is a thin picture of the whole. Slices are sorted by place one after another, when there is
   time, and drawn one after another: whoever moves the map sees at once as many as a frame has time
   for, and all of them when it rests. */
import { Buckets } from "./buckets.js";

/** @typedef {import("./buckets.js").Range} Range */
/** @typedef {import("./viewport.js").Viewport} Viewport */

/**
 * @typedef {object} Drawable points in the order in which they are drawn
 * @property {Float32Array} xy [2m]
 * @property {Uint32Array} colours [m], packed
 * @property {Uint8Array | null} highlighted [m], 0: stands back; null: nobody does
 */

export const CROWD = 20_000; // points; up to here each one is a disc
const SLICE = 50_000; // points of a slice, where they have not come in parts
const LARGE_UP_TO = 200_000; // points in sight that are 2 px wide

/** Every so many-th point, sorted by place. @implements {Drawable} */
export class Slice {
  /** @type {Uint8Array | null} */
  highlighted = null;

  /** @param {Buckets} buckets */
  constructor(buckets) {
    this.buckets = buckets;
    const { members, points } = buckets;
    this.xy = new Float32Array(2 * members.length);
    for (let at = 0; at < members.length; at++) {
      this.xy[2 * at] = points[2 * members[at]];
      this.xy[2 * at + 1] = points[2 * members[at] + 1];
    }
    this.colours = new Uint32Array(members.length);
  }

  /** @param {Uint32Array} colours [n] of all points, packed */
  paint(colours) {
    const { members } = this.buckets;
    for (let at = 0; at < members.length; at++) this.colours[at] = colours[members[at]];
  }

  /** @param {Uint8Array | null} mask [n] of all points */
  highlight(mask) {
    const { members } = this.buckets;
    this.highlighted = mask && new Uint8Array(members.length);
    if (mask && this.highlighted)
      for (let at = 0; at < members.length; at++) this.highlighted[at] = mask[members[at]];
  }

  /**
   * The runs of its points in which everything in sight lies, and a little more.
   *
   * @param {Viewport} viewport
   */
  inSight(viewport) {
    return this.buckets.rangesOf(
      ...viewport.toPlane(0, 0),
      ...viewport.toPlane(viewport.width, viewport.height),
    );
  }
}

export class Crowd {
  /** Those that are sorted. @type {Slice[]} */
  slices = [];
  /** How many points are in them. */
  there = 0;
  /** @type {Uint32Array} */
  #colours = new Uint32Array(0);
  /** @type {Uint8Array | null} */
  #highlighted = null;

  /**
   * @param {Float32Array} points [2n]; those that are not a number are still to come
   * @param {number} [parts] in which they come, the first of which is 0, parts, 2 parts, ...
   */
  constructor(points, parts = Math.ceil(points.length / 2 / SLICE)) {
    this.points = points;
    this.parts = parts;
  }

  /** How many points there will be. */
  get length() {
    return this.points.length / 2;
  }

  /** Whether some stand back. */
  get isDivided() {
    return this.#highlighted !== null;
  }

  /** Sorts one more slice; false where there is none, or it has still to come. */
  grow() {
    const { points, parts } = this,
      number = this.slices.length;
    if (number === parts || !hasCome(points, number, parts)) return false;
    const slice = new Slice(new Buckets(points, { first: number, step: parts }));
    slice.paint(this.#colours);
    slice.highlight(this.#highlighted);
    this.slices.push(slice);
    this.there += slice.colours.length;
    return true;
  }

  /** @param {Uint32Array} colours [n], packed */
  paint(colours) {
    this.#colours = colours;
    for (const slice of this.slices) slice.paint(colours);
    return this;
  }

  /** @param {Uint8Array | null} mask [n] */
  highlight(mask) {
    this.#highlighted = mask;
    for (const slice of this.slices) slice.highlight(mask);
    return this;
  }

  /**
   * How many points are in sight, those that are still to be sorted among them.
   *
   * @param {Viewport} viewport
   */
  countInSight(viewport) {
    let count = 0;
    for (const slice of this.slices)
      for (const [from, to] of slice.inSight(viewport)) count += to - from;
    return Math.round((count * this.length) / Math.max(this.there, 1));
  }

  /**
   * The nearest of those that are sorted, within a distance; null without one.
   *
   * @param {number} x
   * @param {number} y
   * @param {number} within
   * @param {(index: number) => boolean} [wanted]
   * @returns {number | null}
   */
  nearest(x, y, within, wanted) {
    /** @type {import("./buckets.js").Nearest} */
    let best = { index: null, distance: within ** 2 };
    for (const { buckets } of this.slices) best = buckets.nearer([x, y], best, wanted);
    return best.index;
  }

  /**
   * The first point of a rectangle, without its right and lower edge; -1 without one.
   *
   * @param {number} left
   * @param {number} top
   * @param {number} right
   * @param {number} bottom
   */
  firstIn(left, top, right, bottom) {
    let first = -1;
    for (const { buckets } of this.slices) {
      const found = buckets.firstIn(left, top, right, bottom);
      if (found >= 0 && (first < 0 || found < first)) first = found;
    }
    return first;
  }
}

/** Points in one slice and in their own order, for they are few, or on their way. */
export class Loose {
  /** @param {Drawable} points */
  constructor(points) {
    this.length = this.there = points.colours.length;
    this.isDivided = points.highlighted !== null;
    /** @type {readonly Range[]} */
    const all = [[0, this.length]];
    this.slices = [{ ...points, inSight: () => all }];
  }

  grow() {
    return false;
  }

  countInSight() {
    return this.length;
  }
}

/**
 * Whether a part of the points has come.
 *
 * @param {Float32Array} points
 * @param {number} first
 * @param {number} step
 */
function hasCome(points, first, step) {
  for (let at = 2 * first; at < points.length; at += 2 * step)
    if (!Number.isNaN(points[at])) return true;
  return false;
}

/**
 * How a crowd is drawn: one by one or as a density, and how large.
 *
 * @param {number} count in sight
 * @param {number} ratio px of the canvas for one of the page
 */
export const manner = (count, ratio) => ({
  single: count <= CROWD,
  side: Math.max(1, Math.round(ratio * (count <= LARGE_UP_TO ? 2 : 1))),
});
