/* Plays the blocks one by one; who asked for less motion presses for each. */
import { button } from "../../ui/controls.js";
import { currentMask, isLoaded, stepNow, toStep } from "./state.js";

/** @typedef {import("./state.js").State} State */

const PACE = 700; // ms a block

/**
 * @param {State} state
 * @param {import("./state.js").Update} update
 */
export function createPlayer(state, update) {
  const still = matchMedia("(prefers-reduced-motion: reduce)"),
    node = button("", toggle);
  /** @type {ReturnType<typeof setInterval> | undefined} */
  let timer;

  function stop() {
    clearInterval(timer);
    if (state.playing) update({ playing: false });
  }

  function next() {
    if (!isLoaded(state)) return;
    update(toStep(state, stepNow(state) + 1));
    if (state.step === null) stop();
  }

  function toggle() {
    if (!isLoaded(state)) return;
    const atEnd = stepNow(state) === currentMask(state).blocks.length;
    if (state.playing) stop();
    else if (still.matches) update(toStep(state, atEnd ? 0 : stepNow(state) + 1));
    else {
      update({ playing: true, ...(atEnd ? toStep(state, 0) : {}) });
      timer = setInterval(next, PACE);
    }
  }

  return {
    node,
    toggle,
    stop,
    draw() {
      node.textContent = state.playing ? "Pause" : still.matches ? "Next block" : "Play the blocks";
      node.disabled = isLoaded(state) && currentMask(state).blocks.length === 0;
    },
  };
}
