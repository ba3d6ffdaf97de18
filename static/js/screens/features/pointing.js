/* What the pointer and the keys do on a picture that shows the page's own patch. */
import { select, selection } from "../../page/selection.js";
import { rafThrottle } from "../../ui/frame.js";

/**
 * @param {import("./state.js").State} state
 * @param {(change: Partial<import("./state.js").State>) => void} update
 * @returns {import("./state.js").Pointing}
 */
export function createPointing(state, update) {
  const hover = rafThrottle((/** @type {[number, number] | null} */ hovered) =>
    update({ hovered }),
  );
  const keepPatch = (/** @type {number} */ row, /** @type {number} */ col) => {
    state.hovered = null;
    select({ row, col });
  };
  return {
    onhover: (row, col) => hover([row, col]),
    onleave: () => hover(null),
    onpin: keepPatch,
    onkey(key) {
      const step = { "[": -1, "]": 1 }[key];
      const last = (state.view?.layers ?? 1) - 1;
      if (step) select({ layer: Math.min(Math.max((selection.layer ?? last) + step, 0), last) });
      else if (key === "Escape") select({ row: null, col: null });
      else if (key !== "Enter") return false;
      else if (state.hovered) keepPatch(...state.hovered);
      return true;
    },
  };
}
