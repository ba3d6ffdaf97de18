/* Points sorted by place, so that who is near or within a rectangle is looked for in a few buckets. */
import { boundsOf } from "./points.js";

/** @typedef {import("./points.js").Points} Points */
/** @typedef {readonly [from: number, to: number]} Range of sorted points */
/** @typedef {{ index: number | null, distance: number }} Nearest so far; the distance is squared */

/**
 * Points sorted into a grid of buckets. Points that are not a number, for they are still to come, are
 * in none.
 */
export class Buckets {
  /**
   * @param {Points} points
   * @param {{ first?: number, step?: number }} [which] every so many-th of them, all without it
   */
  constructor(points, { first = 0, step = 1 } = {}) {
    const n = Math.ceil((points.length / 2 - first) / step),
      { low, high } = boundsOf(points, first, step);
    this.points = points;
    this.low = low;
    this.across = Math.max(1, Math.min(256, Math.round(Math.sqrt(n / 2))));
    this.size = Math.max(high[0] - low[0], high[1] - low[1], 1e-9) / this.across;
    const cells = this.across ** 2,
      cellOfPoint = new Int32Array(n);
    /** Bucket c holds members[start[c]] up to members[start[c + 1]], ascending. */
    this.start = new Uint32Array(cells + 1);
    for (let k = 0, i = first; k < n; k++, i += step) {
      const x = points[2 * i],
        there = x === x,
        cell = there ? this.#place(points[2 * i + 1], 1) * this.across + this.#place(x, 0) : -1;
      cellOfPoint[k] = cell;
      if (there) this.start[cell + 1]++;
    }
    for (let cell = 0; cell < cells; cell++) this.start[cell + 1] += this.start[cell];
    this.members = new Uint32Array(this.start[cells]);
    const next = this.start.slice(0, -1);
    for (let k = 0, i = first; k < n; k++, i += step)
      if (cellOfPoint[k] >= 0) this.members[next[cellOfPoint[k]]++] = i;
  }

  /** How many points are in them. */
  get there() {
    return this.members.length;
  }

  /**
   * The runs of `members` that hold every point of a rectangle, and some around it.
   *
   * @param {number} left
   * @param {number} top
   * @param {number} right
   * @param {number} bottom
   * @returns {Range[]}
   */
  rangesOf(left, top, right, bottom) {
    const { start, across } = this,
      [first, last] = [this.#place(left, 0), this.#place(right, 0)];
    /** @type {[number, number][]} */
    const ranges = [];
    for (let row = this.#place(top, 1); row <= this.#place(bottom, 1); row++) {
      const [from, to] = [start[row * across + first], start[row * across + last + 1]],
        before = ranges.at(-1);
      if (before && before[1] === from) before[1] = to;
      else if (from < to) ranges.push([from, to]);
    }
    return ranges;
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
    const { points, members, start, across } = this,
      [from, to] = [this.#place(left, 0), this.#place(right, 0)],
      last = this.#place(bottom, 1);
    let first = Infinity;
    for (let row = this.#place(top, 1); row <= last; row++)
      for (let cell = row * across + from; cell <= row * across + to; cell++)
        for (let at = start[cell]; at < start[cell + 1]; at++) {
          const i = members[at];
          if (i >= first) break; // and so are all behind it in this bucket
          const x = points[2 * i],
            y = points[2 * i + 1];
          if (x >= left && x < right && y >= top && y < bottom) first = i;
        }
    return first === Infinity ? -1 : first;
  }

  /** @param {number} value @param {0 | 1} axis */
  #place(value, axis) {
    const at = Math.floor((value - this.low[axis]) / this.size);
    return Math.min(Math.max(at, 0), this.across - 1);
  }

  /**
   * The nearest point within a distance, of several the last; null without one.
   *
   * @param {number} x
   * @param {number} y
   * @param {number} within
   * @param {(index: number) => boolean} [wanted]
   * @returns {number | null}
   */
  nearest(x, y, within, wanted) {
    return this.nearer([x, y], { index: null, distance: within ** 2 }, wanted).index;
  }

  /**
   * The nearest point if it is nearer than another one: ring by ring of buckets around the place,
   * until none of those beyond can hold a nearer one.
   *
   * @param {import("./points.js").Place} place
   * @param {Nearest} other
   * @param {(index: number) => boolean} [wanted]
   * @returns {Nearest}
   */
  nearer([x, y], other, wanted = () => true) {
    const best = { ...other },
      { across } = this,
      [column, row] = [this.#place(x, 0), this.#place(y, 1)];
    for (let ring = 0; ring < across; ring++) {
      if (ring && this.#wayOut(x, y, ring) ** 2 > best.distance) break;
      const [left, right] = [Math.max(column - ring, 0), Math.min(column + ring, across - 1)],
        bottom = Math.min(row + ring, across - 1);
      for (let r = Math.max(row - ring, 0); r <= bottom; r++)
        if (Math.abs(r - row) === ring) this.#look(r, [left, right], [x, y], best, wanted);
        else {
          if (column - ring === left) this.#look(r, [left, left], [x, y], best, wanted);
          if (column + ring === right) this.#look(r, [right, right], [x, y], best, wanted);
        }
    }
    return best;
  }

  /**
   * How far it is at least from a place to the buckets of a ring around it; endless without any.
   *
   * @param {number} x
   * @param {number} y
   * @param {number} ring
   */
  #wayOut(x, y, ring) {
    const { low, size, across } = this;
    let least = Infinity;
    for (const [axis, value] of /** @type {const} */ ([
      [0, x],
      [1, y],
    ])) {
      const middle = this.#place(value, axis);
      if (middle - ring >= 0)
        least = Math.min(least, value - (low[axis] + (middle - ring + 1) * size));
      if (middle + ring < across)
        least = Math.min(least, low[axis] + (middle + ring) * size - value);
    }
    return Math.max(least - 1e-9 * size, 0); // less what rounding may have moved a point
  }

  /**
   * @param {number} row
   * @param {Range} columns of it, the last one too
   * @param {import("./points.js").Place} place
   * @param {Nearest} best changed where there is a nearer one
   * @param {(index: number) => boolean} wanted
   */
  #look(row, [left, right], [x, y], best, wanted) {
    const { points, start, members, across } = this,
      to = start[row * across + right + 1];
    for (let at = start[row * across + left]; at < to; at++) {
      const i = members[at],
        distance = (points[2 * i] - x) ** 2 + (points[2 * i + 1] - y) ** 2,
        isNearer =
          distance < best.distance || (distance === best.distance && i >= (best.index ?? 0));
      if (isNearer && wanted(i)) {
        best.distance = distance;
        best.index = i;
      }
    }
  }
}
