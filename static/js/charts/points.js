/* Points on a plane, [2n] as x0 y0 x1 y1 ...: who is near a place, ahead of another, inside a line. */

/** @typedef {ArrayLike<number>} Points [2n] */
/** @typedef {readonly [x: number, y: number]} Place */

/** @param {Points} points those that are not a number do not count */
function boundsOf(points) {
  const low = [Infinity, Infinity],
    high = [-Infinity, -Infinity];
  for (let i = 0; i < points.length; i++) {
    if (points[i] < low[i & 1]) low[i & 1] = points[i];
    if (points[i] > high[i & 1]) high[i & 1] = points[i];
  }
  return { low, high };
}

/**
 * Points sorted into a grid of buckets: who is near a place is looked for in a few of them. Points
 * that are not a number, for they are still to come, are in none.
 */
export class Buckets {
  /** @param {Points} points */
  constructor(points) {
    const n = points.length / 2,
      { low, high } = boundsOf(points);
    this.points = points;
    this.low = low;
    this.across = Math.max(1, Math.min(256, Math.round(Math.sqrt(n / 2))));
    this.size = Math.max(high[0] - low[0], high[1] - low[1], 1e-9) / this.across;
    const cells = this.across ** 2,
      cellOfPoint = new Int32Array(n);
    /** Bucket c holds members[start[c]] up to members[start[c + 1]]. */
    this.start = new Uint32Array(cells + 1);
    for (let i = 0; i < n; i++) {
      const there = points[2 * i] === points[2 * i],
        cell = there
          ? this.#place(points[2 * i + 1], 1) * this.across + this.#place(points[2 * i], 0)
          : -1;
      cellOfPoint[i] = cell;
      if (there) this.start[cell + 1]++;
    }
    for (let cell = 0; cell < cells; cell++) this.start[cell + 1] += this.start[cell];
    this.members = new Uint32Array(this.start[cells]);
    const next = this.start.slice(0, -1);
    for (let i = 0; i < n; i++) if (cellOfPoint[i] >= 0) this.members[next[cellOfPoint[i]]++] = i;
  }

  /**
   * The runs of `members` that hold every point of a rectangle, and some beside it.
   *
   * @param {number} left
   * @param {number} top
   * @param {number} right
   * @param {number} bottom
   * @returns {[from: number, to: number][]}
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
    const { points, members } = this;
    let first = -1;
    for (const [from, to] of this.rangesOf(left, top, right, bottom))
      for (let at = from; at < to; at++) {
        const i = members[at],
          x = points[2 * i],
          y = points[2 * i + 1];
        if (first >= 0 && i > first) continue;
        if (x >= left && x < right && y >= top && y < bottom) first = i;
      }
    return first;
  }

  /** @param {number} value @param {0 | 1} axis */
  #place(value, axis) {
    const at = Math.floor((value - this.low[axis]) / this.size);
    return Math.min(Math.max(at, 0), this.across - 1);
  }

  /**
   * The nearest point within a distance; null without one.
   *
   * @param {number} x
   * @param {number} y
   * @param {number} within
   * @param {(index: number) => boolean} wanted
   * @returns {number | null}
   */
  nearest(x, y, within, wanted = () => true) {
    const { points, start, members, across } = this;
    let best = null,
      least = within * within;
    const [top, bottom] = [this.#place(y - within, 1), this.#place(y + within, 1)],
      [left, right] = [this.#place(x - within, 0), this.#place(x + within, 0)];
    for (let row = top; row <= bottom; row++)
      for (let at = start[row * across + left]; at < start[row * across + right + 1]; at++) {
        const i = members[at],
          distance = (points[2 * i] - x) ** 2 + (points[2 * i + 1] - y) ** 2;
        if (distance <= least && wanted(i)) {
          least = distance;
          best = i;
        }
      }
    return best;
  }
}

/**
 * The point to go to from one in a direction: near, and rather ahead than aside; null without one.
 *
 * @param {Points} points
 * @param {number} from
 * @param {Place} direction of length 1
 * @param {(index: number) => boolean} wanted
 * @returns {number | null}
 */
export function pointAhead(points, from, [dx, dy], wanted = () => true) {
  const x = points[2 * from],
    y = points[2 * from + 1];
  let best = null,
    least = Infinity;
  for (let i = 0; i < points.length / 2; i++) {
    if (i === from || !wanted(i)) continue;
    const ahead = (points[2 * i] - x) * dx + (points[2 * i + 1] - y) * dy,
      aside = Math.abs((points[2 * i] - x) * dy - (points[2 * i + 1] - y) * dx);
    if (ahead <= 1e-9 || aside > 1.5 * ahead) continue;
    const cost = Math.hypot(ahead, 2 * aside);
    if (cost < least) {
      least = cost;
      best = i;
    }
  }
  return best;
}

/**
 * Which points lie in a closed line: an odd number of its edges is on one side of them.
 *
 * @param {Points} points
 * @param {readonly Place[]} line
 * @returns {number[]}
 */
export function pointsInside(points, line) {
  const { low, high } = boundsOf(line.flat()),
    bands = bandsOf(line, low[1], high[1]),
    share = BANDS / Math.max(high[1] - low[1], 1e-12),
    found = [];
  for (let i = 0; i < points.length / 2; i++) {
    const x = points[2 * i],
      y = points[2 * i + 1];
    if (!(x >= low[0] && x <= high[0] && y >= low[1] && y <= high[1])) continue;
    let odd = false;
    for (const a of bands[Math.min(Math.floor((y - low[1]) * share), BANDS - 1)]) {
      const [xa, ya] = line[a],
        [xb, yb] = line[a ? a - 1 : line.length - 1];
      if (ya > y !== yb > y && x < ((xb - xa) * (y - ya)) / (yb - ya) + xa) odd = !odd;
    }
    if (odd) found.push(i);
  }
  return found;
}

const BANDS = 256;

/**
 * Which edges of a closed line reach into each of so many bands of equal height, so that of a long
 * line a point is compared with few. Edge a goes from the corner before a to a.
 *
 * @param {readonly Place[]} line
 * @param {number} low
 * @param {number} high
 * @returns {number[][]}
 */
function bandsOf(line, low, high) {
  /** @type {number[][]} */
  const bands = Array.from({ length: BANDS }, () => []),
    share = BANDS / Math.max(high - low, 1e-12);
  line.forEach(([, ya], a) => {
    const yb = line[a ? a - 1 : line.length - 1][1],
      first = Math.floor((Math.min(ya, yb) - low) * share),
      last = Math.floor((Math.max(ya, yb) - low) * share);
    for (let band = Math.max(first - 1, 0); band <= Math.min(last + 1, BANDS - 1); band++)
      bands[band].push(a);
  });
  return bands;
}

/**
 * Of points that would cover each other as squares of a side, those that are shown: no two of them
 * overlap, and the first come first.
 *
 * @param {Points} points
 * @param {number} side
 * @returns {number[]}
 */
export function spacedOut(points, side) {
  /** @type {Map<string, number>} cell of one side -> the point that has it */
  const taken = new Map();
  const isFree = (/** @type {number} */ x, /** @type {number} */ y) => {
    for (let col = Math.floor(x) - 1; col <= Math.floor(x) + 1; col++)
      for (let row = Math.floor(y) - 1; row <= Math.floor(y) + 1; row++) {
        const other = taken.get(`${col} ${row}`);
        if (other === undefined) continue;
        const across = Math.abs(points[2 * other] / side - x),
          down = Math.abs(points[2 * other + 1] / side - y);
        if (across < 1 && down < 1) return false;
      }
    return true;
  };
  const shown = [];
  for (let i = 0; i < points.length / 2; i++) {
    const x = points[2 * i] / side,
      y = points[2 * i + 1] / side;
    if (!isFree(x, y)) continue;
    taken.set(`${Math.floor(x)} ${Math.floor(y)}`, i);
    shown.push(i);
  }
  return shown;
}

/**
 * Between two sets of points; slow at both ends.
 *
 * @param {Float32Array} from
 * @param {Float32Array} to
 * @param {number} share 0 to 1
 * @param {Float32Array} [out]
 */
export function between(from, to, share, out = new Float32Array(to.length)) {
  for (let i = 0; i < to.length; i++) out[i] = from[i] + (to[i] - from[i]) * share;
  return out;
}

/** Slow at both ends: 0 to 1. @param {number} t */
export const eased = (t) => t * t * (3 - 2 * t);
