/* What the screen shows, as tests read it. */
import { hiddenCount } from "./owners.js";
import { currentMask, stepNow } from "./state.js";
import { describe } from "./sentences.js";

/** @param {import("./state.js").Loaded} state @param {Uint16Array} owners */
export function exposed(state, owners) {
  const { target, achieved, blocks } = currentMask(state);
  return {
    key: state.shown.key,
    seed: state.shown.seed,
    ratio: state.scene.facts.ratio,
    member: state.member,
    shown: stepNow(state),
    count: hiddenCount(owners),
    achieved,
    target,
    blocks,
    words: describe(state),
    playing: state.playing,
  };
}
