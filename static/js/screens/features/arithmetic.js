/* The arithmetic of features, without the page. */
import { sum } from "../../ui/numbers.js";

/** @typedef {import("../../types/scenes").features.PatchesScene} PatchesScene */

/**
 * Cosine similarity of direction `index` of one scene to all directions of another: they have length
 * 1, so a dot product is all there is to it.
 *
 * @param {PatchesScene} from
 * @param {number} index
 * @param {PatchesScene} to
 * @param {Float32Array | null} [out] [P] is written into where it has the right size
 */
export function cosines(from, index, to, out = null) {
  const [P, D] = to.shapes.directions,
    f = from.directions,
    g = to.directions;
  const result = out?.length === P ? out : new Float32Array(P);
  const begin = index * D,
    end = begin + D - (D % 4);
  for (let p = 0, j = 0; p < P; p++) {
    let a = 0,
      b = 0,
      c = 0,
      d = 0,
      i = begin; // four sums that do not wait for one another
    for (; i < end; i += 4, j += 4) {
      a += f[i] * g[j];
      b += f[i + 1] * g[j + 1];
      c += f[i + 2] * g[j + 2];
      d += f[i + 3] * g[j + 3];
    }
    for (; i < begin + D; i++, j++) a += f[i] * g[j];
    result[p] = a + b + c + d;
  }
  return result;
}

/** @param {ArrayLike<number>} values */
export const mean = (values) => sum(values, 0, values.length) / values.length;

/**
 * Where foreground meets background, along the patches' sides: an SVG path in patches.
 *
 * @param {ArrayLike<number>} mask [h * w]
 * @param {number} h
 * @param {number} w
 */
export function outlinePath(mask, h, w) {
  const parts = [];
  for (let row = 0; row < h; row++)
    for (let col = 0; col < w; col++) {
      const here = mask[row * w + col];
      if (col + 1 < w && mask[row * w + col + 1] !== here) parts.push(`M${col + 1} ${row}v1`);
      if (row + 1 < h && mask[(row + 1) * w + col] !== here) parts.push(`M${col} ${row + 1}h1`);
    }
  return parts.join("");
}

/**
 * Points [P, 2] fitted between -1 and 1, one scale for both axes; up stays up.
 *
 * @param {Float32Array} points
 */
export function fitted(points) {
  const low = [Infinity, Infinity],
    high = [-Infinity, -Infinity];
  for (let i = 0; i < points.length; i++) {
    low[i % 2] = Math.min(low[i % 2], points[i]);
    high[i % 2] = Math.max(high[i % 2], points[i]);
  }
  const half = Math.max(high[0] - low[0], high[1] - low[1], 1e-9) / 2;
  return points.map((value, i) => (value - (low[i % 2] + high[i % 2]) / 2) / half);
}

/**
 * The patch of another grid over the same picture that lies at the centre of a patch.
 *
 * @param {{ row: number, col: number }} patch
 * @param {readonly [number, number]} grid
 * @param {readonly [number, number]} other
 */
export const samePlace = ({ row, col }, [h, w], [H, W]) => ({
  row: Math.floor(((row + 0.5) * H) / h),
  col: Math.floor(((col + 0.5) * W) / w),
});

/** Row and column of a patch. @param {number} index @param {readonly [number, number]} grid */
export const cellOf = (index, [, w]) =>
  /** @type {[number, number]} */ ([Math.floor(index / w), index % w]);

/**
 * Row by row, with a last line break.
 *
 * @param {readonly string[]} names
 * @param {Iterable<readonly (string | number)[]>} rows
 */
export const csvOf = (names, rows) =>
  `${[names, ...rows].map((row) => row.join(",")).join("\n")}\n`;
