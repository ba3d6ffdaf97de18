/* Of very many points, those that are shown as pictures: no two overlap, and which they are depends on
   the place alone, so that moving the map changes nothing and only what is in sight is looked at.

   The plane is cut into squares of a picture's side. Of each square the first point stands for it; and
   of those that would overlap, which are in squares that touch, the first is shown. */

import { spacedOut } from "./points.js";
import { CROWD } from "./crowd.js";

/** @typedef {import("./buckets.js").Buckets | import("./crowd.js").Crowd} Index of points by place */
/** @typedef {import("./viewport.js").Viewport} Viewport */

const MIDDLE = 2 ** 20; // squares to either side of the origin

export class StandingOut {
  /** @type {Map<number, number>} square -> the first point in it, -1 without one */
  #first = new Map();

  /**
   * @param {Index} index
   * @param {number} side of a picture on the plane
   */
  constructor(index, side) {
    this.index = index;
    this.side = side;
  }

  /** @param {number} column @param {number} row */
  #firstOf(column, row) {
    const key = (row + MIDDLE) * 2 * MIDDLE + column + MIDDLE,
      known = this.#first.get(key);
    if (known !== undefined) return known;
    const { side } = this,
      found = this.index.firstIn(column * side, row * side, (column + 1) * side, (row + 1) * side);
    this.#first.set(key, found);
    return found;
  }

  /** @param {number} point @param {number} column @param {number} row of its square */
  #isShown(point, column, row) {
    const { points } = this.index;
    for (let r = row - 1; r <= row + 1; r++)
      for (let c = column - 1; c <= column + 1; c++) {
        const other = this.#firstOf(c, r);
        if (other < 0 || other >= point) continue;
        const across = Math.abs(points[2 * other] - points[2 * point]),
          down = Math.abs(points[2 * other + 1] - points[2 * point + 1]);
        if (across < this.side && down < this.side) return false;
      }
    return true;
  }

  /**
   * Those within a part of the plane, and in the squares that touch it.
   *
   * @param {number} left
   * @param {number} top
   * @param {number} right
   * @param {number} bottom
   * @returns {number[]} ascending within a square's row
   */
  within(left, top, right, bottom) {
    const { side } = this,
      shown = [];
    for (let row = Math.floor(top / side) - 1; row <= Math.floor(bottom / side) + 1; row++)
      for (let col = Math.floor(left / side) - 1; col <= Math.floor(right / side) + 1; col++) {
        const point = this.#firstOf(col, row);
        if (point >= 0 && this.#isShown(point, col, row)) shown.push(point);
      }
    return shown;
  }
}

/** Which points are shown as pictures, settled for each doubling of the zoom. */
export class ShownPictures {
  /** @type {Float32Array | null} */
  #points = null;
  #there = 0;
  /** @type {Map<string, number[] | StandingOut>} */
  #levels = new Map();

  /**
   * @param {Float32Array} points
   * @param {Viewport} viewport
   * @param {number} side px that a picture takes
   * @param {() => Index} indexed the same points by their place
   * @returns {readonly number[]}
   */
  of(points, viewport, side, indexed) {
    const { unit, zoom } = viewport,
      level = Math.round(2 * Math.log2(zoom)) / 2,
      base = unit / zoom,
      key = `${level} ${Math.round(base)}`,
      many = points.length / 2 > CROWD ? indexed() : null,
      there = many?.there ?? 0;
    if (this.#points !== points || this.#there !== there) this.#levels.clear();
    this.#points = points;
    this.#there = there;
    const wide = side / (base * 2 ** level),
      shown =
        this.#levels.get(key) ?? (many ? new StandingOut(many, wide) : spacedOut(points, wide));
    this.#levels.set(key, shown);
    if (Array.isArray(shown)) return shown;
    return shown.within(
      ...viewport.toPlane(0, 0),
      ...viewport.toPlane(viewport.width, viewport.height),
    );
  }
}
