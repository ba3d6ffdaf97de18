/* What a visitor can do with rows and columns: one change of the state each. */
import { select } from "../../page/selection.js";
import { chosenColumn } from "./columns.js";
import { isPagePicture, MOST, moved, sortedBy } from "./state.js";

/** @typedef {import("./state.js").State} State */
/** @typedef {ReturnType<typeof createActions>} Actions */

/**
 * @param {object} parts
 * @param {State} parts.state
 * @param {import("./state.js").Update} parts.update
 * @param {ReturnType<typeof import("./loading.js").createLoading>} parts.loading
 * @param {import("../../page/screens.js").Page} parts.page
 */
export function createActions({ state, update, loading, page }) {
  /** Another tray, and what has to be asked for because of it. @param {Partial<State>} next */
  function change(next) {
    update({ words: "", ...next });
    void page.run(loading.load);
  }
  /** @template Entry @param {readonly Entry[]} list @param {number} at */
  const without = (list, at) => list.filter((_, place) => place !== at);
  return {
    change,

    /** A patch of a row is chosen. @param {number} row @param {readonly [number, number]} patch */
    ask(row, patch) {
      const one = state.shown?.rows[row];
      if (!one) return;
      update({ query: { row: one.id, patch } });
      if (isPagePicture(one, state.view)) select({ row: patch[0], col: patch[1] });
      if (state.columns.some(({ asked }) => asked)) loading.soon();
    },

    /** A row becomes the page's picture. @param {number} row */
    openRow(row) {
      const one = state.shown?.rows[row];
      if (one) page.send({ row: one.id, at: Date.now() });
    },

    /** @param {number} row @param {number} step */
    moveRow: (row, step) => change({ rows: moved(state.rows, row, step) }),
    /** @param {number} row */
    removeRow: (row) => change({ rows: without(state.rows, row) }),
    /** @param {number} column @param {number} step */
    moveColumn: (column, step) => change({ columns: moved(state.columns, column, step) }),
    /** @param {number} column */
    removeColumn: (column) => change({ columns: without(state.columns, column) }),

    /** Rows by the numbers of a column; once more turns them round. @param {number} column */
    sort(column) {
      const { shown } = state;
      if (!shown) return;
      const { numbers, says } = shown.scene.facts.columns[column];
      const rows = sortedBy(numbers).map((place) => shown.rows[place]);
      change({ rows, words: `Sorted by ${says}.` });
    },

    /** @param {string} choice @param {{ layer: number, head: number | null }} at */
    addColumn(choice, at) {
      if (state.columns.length >= MOST) return;
      const made = chosenColumn(choice, { ...at, model: 0 });
      if (made.view === "difference" && !state.second)
        return update({ words: "Choose a second model first: the difference is one of two." });
      const both = state.second && !["input", "difference"].includes(made.view);
      const other = both ? [{ ...made, model: 1 }] : [];
      change({ columns: [...state.columns, made, ...other].slice(0, MOST) });
    },

    /** Other colours, once a slider rests. @param {Partial<State["colouring"]>} next */
    colour(next) {
      update({ words: "", colouring: { ...state.colouring, ...next } });
      loading.soon();
    },

    /** Another second model: its columns come and go with it. @param {string} second */
    setSecond(second) {
      const columns = state.columns.filter(
        ({ view, model }) => second || (model === 0 && view !== "difference"),
      );
      if (second && !state.second) {
        const pca = columns.findIndex(({ view }) => view === "pca");
        if (pca >= 0 && columns.length < MOST)
          columns.splice(pca + 1, 0, { ...columns[pca], model: 1, layer: -1 });
      }
      change({ second, columns });
    },
  };
}
