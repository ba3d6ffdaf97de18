/* The page's one bus of events. Whoever changes something says so here once; whoever depends on it
   listens here, and asks nobody again and again whether it has changed. */

/** @typedef {import("./selection.js").Selection} Selection */
/**
 * @typedef {object} PageEvents
 * @property {{ name: string, before: string | null }} screen a screen was opened; `before` was open
 * @property {string} made the screen of this name has been made, for whoever may open it
 * @property {import("../types/page").View} view another picture, model, size or seed
 * @property {string} gone the model of this name is no longer on the server
 * @property {string} compare the page's model is to be compared with the one of this name
 * @property {string} try the classifier beside the page's model, of this name, is to be tried
 * @property {{ rows: readonly string[] }} tray pictures that the tray is to have as its rows
 * @property {boolean} computing whether Python is at work on another picture, size or model
 * @property {{ selection: Selection, change: Partial<Selection> }} selection
 *   a patch, layer, head or run was chosen; `change` holds what was set
 * @property {{ screen: string }} numbers a screen has new numbers for its lesson
 */

/**
 * A bus of its own, for the page and for tests. A listener that throws is reported and keeps nobody
 * else from hearing.
 *
 * @template {object} Events name -> detail
 * @param {(error: unknown) => void} report
 */
export function createBus(report = (error) => globalThis.reportError(error)) {
  /** @type {Map<keyof Events, Set<(detail: never) => void>>} */
  const listeners = new Map();
  return {
    /**
     * @template {keyof Events} Name
     * @param {Name} name
     * @param {(detail: Events[Name]) => void} listener
     * @returns {() => void} ends the listening
     */
    on(name, listener) {
      const all = listeners.get(name) ?? new Set();
      listeners.set(name, all.add(listener));
      return () => void all.delete(listener);
    },

    /**
     * @template {keyof Events} Name
     * @param {Name} name
     * @param {Events[Name]} detail
     */
    emit(name, detail) {
      for (const listener of [...(listeners.get(name) ?? [])])
        try {
          /** @type {(detail: Events[Name]) => void} */ (listener)(detail);
        } catch (error) {
          report(error);
        }
    },
  };
}

/** @type {ReturnType<typeof createBus<PageEvents>>} */
export const bus = createBus();
