/* What the tray shows, in one object that is changed in one place. */
import { PLAIN } from "./colouring.js";

/** @typedef {import("../../types/page").View} View */
/** @typedef {import("../../types/scenes").tray.TrayScene} TrayScene */
/** @typedef {TrayScene["facts"]["columns"][number]} ColumnFacts */
/** @typedef {import("./columns.js").Column} Column */
/** @typedef {import("./colouring.js").Colouring} Colouring */

/**
 * @typedef {object} Row a picture
 * @property {string} id as the server is asked for it
 * @property {string} name
 * @property {string} [origin] of the page's picture that it was copied from
 * @property {File} [file] the visitor's own, should the server lose it
 */

/** @typedef {{ row: string, patch: readonly [number, number] }} Query a patch of a row */

/**
 * @typedef {object} Shown what has been drawn
 * @property {TrayScene} scene
 * @property {Row[]} rows
 * @property {Column[]} columns
 * @property {readonly string[]} others models 1, 2, ...
 * @property {View} view
 */

/**
 * @typedef {object} State
 * @property {View | null} view the page's picture, with the model and the size of all rows
 * @property {Row[]} rows
 * @property {Column[]} columns
 * @property {Query | null} query the patch that columns ask for; null: the middle of the page's picture
 * @property {readonly string[]} others models 1, 2, ...; model 0 is the page's
 * @property {Readonly<Record<string, Pick<View, "weights" | "said">>>} opened models that lines of
 *   Python do not open by their name
 * @property {Readonly<Colouring>} colouring of PCA and clusters
 * @property {Shown | null} shown
 * @property {boolean} busy
 * @property {string} words what has happened, for eyes and screen readers
 */

/** @typedef {(change: Partial<State>) => void} Update */

export const MOST = 12; // rows, columns, models

/** @param {(state: State, change: Partial<State>) => void} render draws what a change concerns */
export function createState(render) {
  /** @type {State} */
  const state = {
    view: null,
    rows: [],
    columns: [],
    query: null,
    others: [],
    opened: {},
    colouring: PLAIN,
    shown: null,
    busy: false,
    words: "",
  };

  /** @type {Update} */
  function update(change) {
    Object.assign(state, change);
    render(state, change);
  }
  return { state, update };
}

/**
 * Whether a row is the picture that the page shows.
 *
 * @param {Row} row
 * @param {Pick<View, "sample" | "origin"> | null} view
 */
export function isPagePicture({ id, origin }, view) {
  if (!view) return false;
  if (view.sample) return id === `sample/${view.sample}`;
  const own = id.startsWith("own/") ? `upload/${id.slice("own/".length)}` : id;
  return Boolean(view.origin) && (own === view.origin || origin === view.origin);
}

/** The place of the row whose patch is asked for. @param {Pick<State, "rows" | "query" | "view">} state */
export function askedRow({ rows, query, view }) {
  const asked = rows.findIndex(({ id }) => id === query?.row);
  if (asked >= 0) return asked;
  return Math.max(
    rows.findIndex((row) => isPagePicture(row, view)),
    0,
  );
}

/**
 * The patch that is asked for: the one that was chosen, or the middle of the picture.
 *
 * @param {Pick<State, "rows" | "query" | "view">} state
 * @returns {readonly [number, number]}
 */
export function askedPatch(state) {
  const { rows, query, view } = state;
  if (query && rows.some(({ id }) => id === query.row)) return query.patch;
  const [h, w] = view?.grid ?? [1, 1];
  return [Math.floor(h / 2), Math.floor(w / 2)];
}

/**
 * A list with one of its entries moved by a step; as it was where there is no room.
 *
 * @template Entry
 * @param {readonly Entry[]} list
 * @param {number} at
 * @param {number} step
 */
export function moved(list, at, step) {
  const next = [...list],
    to = at + step;
  if (to < 0 || to >= list.length) return next;
  [next[at], next[to]] = [next[to], next[at]];
  return next;
}

/**
 * The order of rows by their numbers, the largest first, or the smallest where that is how they are.
 *
 * @param {readonly number[]} numbers
 * @returns {number[]} places
 */
export function sortedBy(numbers) {
  const places = numbers.map((_, at) => at);
  const down = [...places].sort((a, b) => numbers[b] - numbers[a]);
  const isDown = down.every((place, at) => numbers[place] === numbers[at]);
  return isDown ? places.sort((a, b) => numbers[a] - numbers[b]) : down;
}
