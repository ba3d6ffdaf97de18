/* How alike positions are: all have length 1 here, so a cosine is a dot product. */

/** @typedef {import("../../types/scenes").tokens.PositionsScene} PositionsScene */

/**
 * Cosine of position `index` with every position of its table, [count].
 *
 * @param {Float32Array} table [count, D], rows of length 1
 * @param {number} index
 * @param {number} D
 */
export function cosines(table, index, D) {
  const out = new Float32Array(table.length / D);
  for (let i = 0, j = 0; i < out.length; i++) {
    let dot = 0;
    for (let k = index * D, end = k + D; k < end; k++, j++) dot += table[k] * table[j];
    out[i] = dot;
  }
  return out;
}

/**
 * The mean of a map along the row and along the column of a place, the place itself left out.
 *
 * @param {Float32Array} map [h * w]
 * @param {readonly [number, number]} grid
 * @param {readonly [number, number]} place
 * @returns {[number, number]}
 */
export function meansAlong(map, [h, w], [row, col]) {
  let inRow = 0,
    inColumn = 0;
  for (let i = 0; i < w; i++) if (i !== col) inRow += map[row * w + i];
  for (let i = 0; i < h; i++) if (i !== row) inColumn += map[i * w + col];
  return [inRow / Math.max(w - 1, 1), inColumn / Math.max(h - 1, 1)];
}

/** Index of the place that is nearest to a value. @param {Float32Array} places @param {number} value */
const nearest = (places, value) =>
  places.reduce(
    (best, place, i) => (Math.abs(place - value) < Math.abs(places[best] - value) ? i : best),
    0,
  );

/**
 * The patch whose position is taken from nearest to a cell of the learned grid.
 *
 * @param {Pick<PositionsScene, "rows" | "columns">} scene
 * @param {readonly [number, number]} cell
 * @returns {[number, number]}
 */
export const patchOf = ({ rows, columns }, [row, col]) => [
  nearest(rows, row),
  nearest(columns, col),
];

/**
 * The cell of the learned grid that is nearest to where a patch's position is taken from.
 *
 * @param {object} scene
 * @param {PositionsScene["rows"]} scene.rows
 * @param {PositionsScene["columns"]} scene.columns
 * @param {Pick<PositionsScene["facts"], "learned_grid">} scene.facts
 * @param {readonly [number, number]} patch
 * @returns {[number, number]}
 */
export function cellOf({ rows, columns, facts }, [row, col]) {
  const [r, c] = facts.learned_grid;
  const within = (/** @type {number} */ place, /** @type {number} */ count) =>
    Math.min(Math.max(Math.round(place), 0), count - 1);
  return [within(rows[row], r), within(columns[col], c)];
}
