/* A grid of buttons that is one stop of the Tab key: arrows go from cell to cell, Home and End to the
   ends of a row. The cell that was reached last is where Tab comes back to. */

/** @type {Record<string, (at: number, columns: number) => number>} */
const STEPS = {
  ArrowLeft: (at) => at - 1,
  ArrowRight: (at) => at + 1,
  ArrowUp: (at, columns) => at - columns,
  ArrowDown: (at, columns) => at + columns,
  Home: (at, columns) => at - (at % columns),
  End: (at, columns) => at - (at % columns) + columns - 1,
};

/**
 * Where a key leads in a grid of so many cells, counted row by row; null where the key leads nowhere.
 *
 * @param {string} key
 * @param {{ at: number, count: number, columns: number }} grid
 */
export function nextCell(key, { at, count, columns }) {
  const next = STEPS[key]?.(at, columns);
  return next === undefined || next < 0 || next >= count ? null : next;
}

/**
 * Makes cells one stop of the Tab key. Call it again when the cells have changed.
 *
 * @param {readonly HTMLElement[]} cells row by row
 * @param {number} columns
 * @param {number} [current] the cell that Tab comes to first
 * @returns {{ set(at: number): void }} moves that place without moving the focus
 */
export function roving(cells, columns, current = 0) {
  let stop = Math.min(Math.max(current, 0), cells.length - 1);
  const set = (/** @type {number} */ at) => {
    if (cells[stop]) cells[stop].tabIndex = -1;
    stop = at;
    if (cells[stop]) cells[stop].tabIndex = 0;
  };
  cells.forEach((cell, at) => {
    cell.tabIndex = at === stop ? 0 : -1;
    cell.onfocus = () => set(at);
    cell.onkeydown = (event) => {
      const next = nextCell(event.key, { at, count: cells.length, columns });
      if (next === null) return;
      event.preventDefault();
      cells[next].focus();
    };
  });
  return { set };
}
