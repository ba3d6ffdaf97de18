/* Points on a plane, [2n] as x0 y0 x1 y1 ...: who is ahead of another, inside a line, shown where
   there is room. Who is near a place is in buckets.js. */

/** @typedef {ArrayLike<number>} Points [2n] */
/** @typedef {readonly [x: number, y: number]} Place */

/**
 * @param {Points} points those that are not a number do not count
 * @param {number} [first]
 * @param {number} [step] every so many-th
 */
export function boundsOf(points, first = 0, step = 1) {
  const low = [Infinity, Infinity],
    high = [-Infinity, -Infinity];
  for (let at = 2 * first; at < points.length; at += 2 * step) {
    const x = points[at],
      y = points[at + 1];
    if (x < low[0]) low[0] = x;
    if (x > high[0]) high[0] = x;
    if (y < low[1]) low[1] = y;
    if (y > high[1]) high[1] = y;
  }
  return { low, high };
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
