/* The arithmetic of crops' boxes: which is under a point, what two of them share. */

/** @typedef {readonly [number, number, number, number]} Box x0, y0, x1, y1 */
/** @typedef {import("../../types/scenes").crops.CropsScene} CropsScene */

const EDGE = 5; // px on the screen within which an edge counts as touched

/**
 * Index of the box whose edge is near, else of the smallest that holds the point; null outside all.
 *
 * @param {readonly Box[]} boxes px of the picture
 * @param {readonly [number, number]} point px of the picture
 * @param {number} scale px of the screen in one of the picture
 */
export function boxAt(boxes, [x, y], scale) {
  /** @type {number | null} */
  let best = null;
  let lowest = Infinity;
  boxes.forEach(([x0, y0, x1, y1], i) => {
    const inside = Math.min(x - x0, x1 - x, y - y0, y1 - y), // to the nearest edge, negative outside
      edge = Math.abs(inside) * scale;
    if (inside < 0 && edge > EDGE) return;
    const rank = edge <= EDGE ? edge : 2 * EDGE + (x1 - x0) * (y1 - y0);
    if (rank >= lowest) return;
    lowest = rank;
    best = i;
  });
  return best;
}

/** The lines between the n x n patches of a box. @param {Box} box @param {number} n */
export function patchLines([x0, y0, x1, y1], n) {
  let path = "";
  for (let i = 1; i < n; i++)
    path += `M${x0 + ((x1 - x0) * i) / n} ${y0}V${y1}M${x0} ${y0 + ((y1 - y0) * i) / n}H${x1}`;
  return path;
}

/**
 * Shares of two boxes, in per cent: of the smaller one, and intersection over union.
 *
 * @param {Pick<CropsScene, "overlaps" | "ious"> & { facts: { crops: ArrayLike<unknown> } }} scene
 * @param {readonly [number, number]} pair
 * @returns {[number, number]}
 */
export function sharedBy({ overlaps, ious, facts }, [a, b]) {
  const at = a * facts.crops.length + b;
  return [overlaps[at], ious[at]];
}
