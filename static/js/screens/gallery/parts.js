/* The map of a large gallery comes in parts: the first is a thin picture of all of it, the others fill
   it up. */
import { isWaiting } from "./data.js";

/** @typedef {import("./data.js").GalleryData} GalleryData */
/** @typedef {import("./data.js").Points} Points */
/** @typedef {import("./data.js").Part} Part */
/** @typedef {import("./data.js").Query} Query */

/**
 * Points of which those that have not come are no numbers.
 *
 * @param {Part} first
 * @returns {Points}
 */
export function pointsOf(first) {
  const { count, parts, features, layer, method, facts } = first.facts,
    xy = new Float32Array(2 * count).fill(NaN),
    shapes = { xy: [count, 2] };
  const points = { xy, parts, facts: { features, layer, method, facts }, shapes };
  fillIn(xy, first);
  return /** @type {Points} */ (points);
}

/**
 * @param {Float32Array} xy of all points
 * @param {Part} part
 */
export function fillIn(xy, { xy: some, facts: { part, parts } }) {
  for (let k = 0, i = part; k < some.length; k += 2, i += parts) {
    xy[2 * i] = some[k];
    xy[2 * i + 1] = some[k + 1];
  }
}

/**
 * A map, or of a large gallery its first part.
 *
 * @param {GalleryData} data
 * @param {Query} query
 * @returns {Promise<Points | import("./data.js").Waiting>}
 */
export async function askMap(data, query) {
  if (!data.large) return data.ask("points", query);
  const first = await data.ask("part", query, 0);
  return isWaiting(first) ? first : pointsOf(first);
}

/**
 * The same, asked for until it is there; null once nobody wants it any more.
 *
 * @param {GalleryData} data
 * @param {object} wanted
 * @param {Query} wanted.query
 * @param {() => boolean} wanted.still
 * @param {(words: string) => void} [wanted.onwait]
 * @returns {Promise<Points | null>}
 */
export async function settleMap(data, wanted) {
  if (!data.large) return data.settle("points", wanted);
  const first = await data.settle("part", { ...wanted, picture: 0 });
  return first && pointsOf(first);
}

/**
 * All but the first part, one after another.
 *
 * @param {GalleryData} data
 * @param {Points} points that are filled up
 * @param {object} wanted
 * @param {Query} wanted.query
 * @param {() => boolean} wanted.still
 * @param {(points: Points) => void} wanted.onpart
 */
export async function fillUp(data, points, { query, still, onpart }) {
  for (let number = 1, parts = 2; number < parts; number++) {
    const part = await data.ask("part", query, number);
    if (!still() || isWaiting(part)) return;
    ({ parts } = part.facts);
    fillIn(points.xy, part);
    onpart({ ...points });
  }
}
