/* What can be undone: whole lists of changes, the newest last. */

/** @typedef {import("./edits.js").Edit} Edit */

const MOST = 100; // steps

/**
 * `step` of a change that only goes on with the one before (a slider that is drawn, a stroke) has the
 * same word as that one, and both are undone together.
 */
export function createUndo() {
  /** @type {(readonly Edit[])[]} */
  let past = [];
  /** @type {(readonly Edit[])[]} */
  let future = [];
  let lastStep = "";
  return {
    /** @param {readonly Edit[]} before @param {string} [step] */
    push(before, step = "") {
      if (!step || step !== lastStep) past = [...past, before].slice(-MOST);
      lastStep = step;
      future = [];
    },
    /** What goes on from here is a step of its own. */
    rest() {
      lastStep = "";
    },
    /** @param {readonly Edit[]} now @returns {readonly Edit[] | null} null: nothing to undo */
    undo(now) {
      const before = past.pop() ?? null;
      if (before) future.push(now);
      lastStep = "";
      return before;
    },
    /** @param {readonly Edit[]} now @returns {readonly Edit[] | null} */
    redo(now) {
      const after = future.pop() ?? null;
      if (after) past.push(now);
      lastStep = "";
      return after;
    },
    canUndo: () => past.length > 0,
    canRedo: () => future.length > 0,
  };
}
