/* What a visitor can do with rows and columns: one change of the state each. */
import { select } from "../../page/selection.js";
import { chosenColumn, columnsOf } from "./columns.js";
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
  /**
   * Another tray, and what has to be asked for because of it; what cannot be shown is undone, for
   * columns that are not on the screen could not be removed.
   *
   * @param {Partial<State>} next
   */
  function change(next) {
    const before = { rows: state.rows, columns: state.columns, others: state.others };
    update({ words: "", ...next });
    const after = { rows: state.rows, columns: state.columns, others: state.others };
    const names = /** @type {(keyof typeof after)[]} */ (Object.keys(after));
    void page.run(async () => {
      try {
        await loading.load();
      } catch (error) {
        if (names.every((name) => state[name] === after[name])) update({ ...before, words: "" });
        throw error;
      }
    });
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

    /**
     * A column of a model, or one of every model (null). The last layer is each one's own last.
     *
     * @param {string} choice
     * @param {{ layer: number, head: number | null, model: number | null }} at
     */
    addColumn(choice, { model, ...at }) {
      if (state.columns.length >= MOST) return;
      const { others, view } = state;
      if (choice === "difference" && !others.length)
        return update({ words: "Add a model first: the difference is one of two." });
      const alone = ["input", "difference"].includes(choice);
      const every = alone ? [0] : [0, ...others.map((_, place) => place + 1)],
        isLast = at.layer + 1 === view?.layers;
      const made = (model === null || alone ? every : [model]).map((one) =>
        chosenColumn(choice, { ...at, model: one, layer: one && isLast ? -1 : at.layer }),
      );
      change({ columns: [...state.columns, ...made].slice(0, MOST) });
    },

    /** Other colours, once a slider rests. @param {Partial<State["colouring"]>} next */
    colour(next) {
      update({ words: "", colouring: { ...state.colouring, ...next } });
      loading.soon();
    },

    /** One more model, with a column of its own colours where there is PCA. @param {string} name */
    addModel(name) {
      const columns = [...state.columns],
        others = [...state.others, name];
      if (others.length >= MOST || state.others.includes(name)) return;
      const pca = columns.findLastIndex(({ view }) => view === "pca");
      if (pca >= 0 && columns.length < MOST)
        columns.splice(pca + 1, 0, { ...columns[pca], model: others.length, layer: -1 });
      change({ others, columns });
    },

    /** A model goes, and its columns with it. @param {string} name */
    removeModel(name) {
      const others = state.others.filter((one) => one !== name);
      change({ others, columns: columnsOf(state.columns, state.others, others) });
    },
  };
}
