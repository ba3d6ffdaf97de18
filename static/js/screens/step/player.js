/* From line to line: buttons, a slider, playing, and the keys that do the same. */
import { button, slider } from "../../ui/controls.js";
import { el } from "../../ui/dom.js";
import { stepBackOver, stepOver } from "./arithmetic.js";
import { sceneOf } from "./state.js";

/** @typedef {import("./state.js").State} State */

const PACE = 900; // ms a line

/** @type {import("../../ui/key-hints.js").KeyHints} */
export const KEYS = [
  ["↑ ↓", "line by line"],
  ["Page ↑ ↓", "over what is called"],
  ["Home End", "first and last"],
  ["Space", "plays"],
];

/**
 * @param {State} state
 * @param {import("./state.js").Update} update
 */
export function createPlayer(state, update) {
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  /** @type {ReturnType<typeof setInterval> | undefined} */
  let timer;
  const visits = () => sceneOf(state)?.facts.visits ?? [];
  const last = () => visits().length - 1;

  /** @param {number} at */
  function go(at) {
    stop();
    update({ at: Math.max(0, Math.min(at, last())) });
  }
  function stop() {
    clearInterval(timer);
    if (state.playing) update({ playing: false });
  }
  function play() {
    if (state.playing) return stop();
    if (still.matches) return go(state.at + 1);
    update({ playing: true, at: state.at >= last() ? 0 : state.at });
    timer = setInterval(() => {
      if (state.at >= last()) stop();
      else update({ at: state.at + 1 });
    }, PACE);
  }

  const forward = () => go(state.at + 1),
    back = () => go(state.at - 1),
    over = () => go(stepOver(visits(), state.at)),
    backOver = () => go(stepBackOver(visits(), state.at));
  const playing = button("Play", play);
  const position = slider("Line", {
    format: (at) => `${at} of ${last()}`,
    oninput: go,
  });
  const before = button("◂ Line", back, "The line before"),
    after = button("Line ▸", forward, "The next line");

  /** @type {Record<string, () => void>} */
  const keys = {
    ArrowDown: forward,
    ArrowRight: forward,
    ArrowUp: back,
    ArrowLeft: back,
    PageDown: over,
    PageUp: backOver,
    Home: () => go(0),
    End: () => go(last()),
    " ": play,
  };
  return {
    node: el(
      "div",
      { class: "inside-controls inside-player" },
      before,
      playing,
      after,
      button("Over ▸", over, "The next line of this function, over what it calls"),
      position.node,
    ),
    go,
    stop,

    /** What a key of the listing does. @param {KeyboardEvent} event */
    onkey(event) {
      const does = keys[event.key];
      if (!does || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      does();
    },

    draw() {
      playing.textContent = state.playing ? "Pause" : still.matches ? "Next line" : "Play";
      before.disabled = state.at <= 0;
      after.disabled = state.at >= last();
      position.limit(Math.max(last(), 0));
      position.set(state.at);
    },
  };
}
