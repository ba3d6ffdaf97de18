/* Plays the layers, smooth in between; who asked for less motion presses for each. */
import { select, selection } from "../../../page/selection.js";
import { button } from "../../../ui/controls.js";

const PACE = 450; // ms from one layer to the next

/** @param {import("../state.js").Screen} screen */
export function createPlayer(screen) {
  const { state } = screen,
    still = matchMedia("(prefers-reduced-motion: reduce)"),
    node = button("Play", toggle);
  let before = 0;
  const last = () => (state.view?.layers ?? 1) - 1,
    shown = () => selection.layer ?? last();

  /** @param {number | null} at */
  function move(at) {
    state.depth = { ...state.depth, at };
    const layer = at === null ? last() : Math.round(at);
    if (layer === shown()) screen.update({});
    else select({ layer }); // draws as well
  }

  /** @param {number} now */
  function frame(now) {
    const { at } = state.depth;
    if (at === null) return;
    if (!screen.isSeen() || state.mode !== "depth") return stop();
    const next = at + Math.max(now - before, 0) / PACE;
    before = now;
    if (next >= last()) return move(null);
    move(next);
    requestAnimationFrame(frame);
  }

  function stop() {
    if (state.depth.at !== null) screen.update({ depth: { ...state.depth, at: null } });
  }

  function toggle() {
    if (!state.depth.loaded) return;
    const from = shown() < last() ? shown() : 0;
    if (state.depth.at !== null) stop();
    else if (still.matches) select({ layer: shown() < last() ? from + 1 : 0 });
    else {
      before = performance.now();
      move(from);
      requestAnimationFrame(frame);
    }
  }

  return {
    node,
    toggle,
    /** Another layer was chosen meanwhile: the film rests there. */
    follow() {
      const { at } = state.depth;
      if (at !== null && Math.round(at) !== shown()) state.depth = { ...state.depth, at: null };
    },
    draw() {
      const text = still.matches ? "Next layer" : "Play through the layers";
      node.textContent = state.depth.at === null ? text : "Pause";
    },
  };
}
