/* What can be set: the blocks on the picture, the masked share, the seed. */
import { button, slider } from "../../ui/controls.js";
import { el } from "../../ui/dom.js";
import { percent } from "../../ui/format.js";
import { currentMask, isLoaded, MOST_RATIO, stepNow, toStep } from "./state.js";

/**
 * @param {import("./state.js").State} state
 * @param {import("./state.js").Update} update
 * @param {{ player: ReturnType<typeof import("./player.js").createPlayer>, onratio: () => unknown }} actions
 */
export function createControls(state, update, { player, onratio }) {
  const blocks = slider("Blocks", {
    min: 0,
    max: 1,
    value: 0,
    format: (value) => `${value} of ${isLoaded(state) ? currentMask(state).blocks.length : 0}`,
    oninput: (value) => {
      player.stop();
      if (isLoaded(state)) update(toStep(state, value));
    },
  });
  const share = slider("Masked share", {
    min: 0,
    max: MOST_RATIO,
    step: 0.01,
    value: state.ratio,
    format: (value) => percent(value, 0),
    oninput: (ratio) => {
      player.stop();
      update({ ratio, member: null, step: null });
      onratio();
    },
  });
  const seed = el("span", { class: "inside-value" });
  const again = button(
    "Draw again",
    () => document.getElementById("again")?.click(),
    "The next seed, for all screens",
  );
  return {
    node: el(
      "div",
      { class: "inside-left" },
      el("div", { class: "inside-controls" }, blocks.node, player.node),
      el("div", { class: "inside-controls" }, share.node, again, seed),
    ),
    /** @param {import("./state.js").Loaded} loaded */
    draw(loaded) {
      blocks.limit(currentMask(loaded).blocks.length);
      blocks.set(stepNow(loaded));
      share.set(loaded.ratio);
      seed.textContent = `Seed ${loaded.shown.seed}`;
      player.draw();
    },
  };
}
