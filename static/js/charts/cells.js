/* A chart of cells, as a matrix: a cell is pointed at, walked to with the arrows, and opened by a
   click or by Enter. */

/** @typedef {import("../types/plotly").PlotElement} PlotElement */
/** @typedef {import("../types/plotly").Trace} Trace */
/** @typedef {readonly [row: number, column: number]} Cell */
/**
 * @typedef {object} Listeners
 * @property {(cell: Cell) => unknown} walked to with the arrows
 * @property {(cell: Cell) => unknown} opened
 */

/** @type {WeakMap<HTMLElement, Listeners>} */
const listeners = new WeakMap();

/** Whether a chart is one of cells. @param {readonly Trace[]} data */
export const hasCells = (data) => Boolean(data[0]?.z);

/** What is to happen in the chart of a place. @param {HTMLElement} place @param {Listeners} whose */
export function onCells(place, whose) {
  listeners.set(place, whose);
}

/** A chart of cells has been drawn for the first time. @param {PlotElement} place */
export function followCells(place) {
  /** @type {Cell | null} */
  let at = null;
  place.on("plotly_hover", ({ points }) => {
    at = cellOf(points[0]?.pointNumber);
  });
  place.on("plotly_click", ({ points }) => {
    const cell = cellOf(points[0]?.pointNumber);
    if (cell) listeners.get(place)?.opened(cell);
  });
  place.addEventListener("keydown", (event) => {
    const next = cellAfter(event.key, at, place.data[0]?.z ?? []);
    if (next) {
      at = next;
      globalThis.Plotly?.Fx.hover(place, [{ curveNumber: 0, pointNumber: [...next] }]);
      listeners.get(place)?.walked(next);
    } else if (event.key === "Enter" && at) listeners.get(place)?.opened(at);
    else if (event.key === "Escape") {
      at = null;
      globalThis.Plotly?.Fx.unhover(place);
    } else return;
    event.preventDefault();
  });
}

/** @param {unknown} number of a point: row and column of a cell @returns {Cell | null} */
const cellOf = (number) => (Array.isArray(number) ? [number[0], number[1]] : null);

/**
 * Where a key leads from a cell, from none at all to the first; null for keys that lead nowhere.
 *
 * @param {string} key
 * @param {Cell | null} from
 * @param {readonly (readonly unknown[])[]} cells rows of equal length
 * @returns {Cell | null}
 */
export function cellAfter(key, from, cells) {
  const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[key];
  if (!step || !cells.length) return null;
  if (!from) return [0, 0];
  /** @param {number} value @param {number} count */
  const within = (value, count) => Math.min(Math.max(value, 0), count - 1);
  return [within(from[0] + step[0], cells.length), within(from[1] + step[1], cells[0].length)];
}
