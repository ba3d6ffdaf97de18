/* The likeness of every layer with every layer, as a map whose cells can be chosen. */
import { select, selection } from "../../../page/selection.js";
import { paintMap } from "../../../ui/canvas.js";
import { el } from "../../../ui/dom.js";
import { tip } from "../../../ui/tooltip.js";

/** @typedef {import("./state.js").LoadedComparison} LoadedComparison */

/** @type {Record<string, readonly [down: number, across: number]>} */
const MOVES = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

const within = (/** @type {number} */ value, /** @type {number} */ count) =>
  Math.min(Math.max(Math.floor(value), 0), count - 1);

/**
 * @param {import("../state.js").Screen} screen
 * @param {(next: Partial<import("./state.js").Compare>) => void} change
 */
export function createTable({ state, reload }, change) {
  const map = el("canvas"),
    here = el("i", { class: "inside-cell", hidden: true });
  /** @type {HTMLElement} */
  const node = el(
    "div",
    {
      class: "inside-plane inside-likeness",
      tabindex: "0",
      role: "application",
      "aria-roledescription": "table of layers",
      "aria-label": "Likeness of every layer with every layer. Arrows choose the pair.",
      onpointermove: (event) => {
        const cell = cellUnder(event);
        if (cell) tip(node, event, describe(...cell));
      },
      onpointerleave: (event) => tip(node, event, null),
      onclick: (event) => {
        const cell = cellUnder(event);
        if (cell) choose(...cell);
      },
      onkeydown: (event) => {
        const move = MOVES[event.key],
          { loaded, secondLayer } = state.compare;
        if (!move || !loaded) return;
        const [rows, columns] = loaded.table.shapes.cka;
        choose(
          within((selection.layer ?? loaded.layer) + move[0], rows),
          within((secondLayer ?? loaded.secondLayer) + move[1], columns),
        );
        event.preventDefault();
      },
    },
    map,
    here,
  );

  /** @param {MouseEvent} event @returns {[number, number] | null} */
  function cellUnder({ clientX, clientY }) {
    const { loaded } = state.compare,
      box = node.getBoundingClientRect();
    if (!loaded) return null;
    const [rows, columns] = loaded.table.shapes.cka;
    return [
      within(((clientY - box.top) / box.height) * rows, rows),
      within(((clientX - box.left) / box.width) * columns, columns),
    ];
  }

  /** @param {number} row @param {number} column */
  function describe(row, column) {
    const { loaded } = state.compare;
    if (!loaded) return null;
    const { cka, shapes } = loaded.table;
    return (
      `first: layer ${row}, second: layer ${column}\nCKA ` +
      `${cka[row * shapes.cka[1] + column].toFixed(3)}`
    );
  }

  /** @param {number} layer @param {number} secondLayer */
  function choose(layer, secondLayer) {
    change({ secondLayer });
    if (layer === selection.layer) reload();
    else select({ layer });
  }

  /** @type {LoadedComparison | null} */
  let drawn = null;
  return {
    node,
    /** @param {LoadedComparison} loaded */
    draw(loaded) {
      if (drawn === loaded) return;
      drawn = loaded;
      const [rows, columns] = loaded.table.shapes.cka;
      paintMap(map, loaded.table.cka, { grid: [rows, columns], low: 0, high: 1 });
      node.style.aspectRatio = `${columns} / ${rows}`;
      here.hidden = false;
      Object.assign(here.style, {
        left: `${(100 * loaded.secondLayer) / columns}%`,
        top: `${(100 * loaded.layer) / rows}%`,
        width: `${100 / columns}%`,
        height: `${100 / rows}%`,
      });
    },
  };
}
