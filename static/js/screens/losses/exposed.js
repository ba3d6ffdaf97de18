/* What the screen shows, as tests read it. */
import { patchAnswers, patchOf } from "./patches.js";
import { shownPair } from "./state.js";

/** @param {import("./state.js").Loaded} state @param {string} caption */
export function exposed(state, caption) {
  const { view, scene, options } = state,
    { at, told, m } = patchOf(state),
    { first, guess, same } = patchAnswers(scene, m);
  return {
    key: view.key,
    seed: view.seed,
    pair: options.pair,
    targets: scene.facts.targets_by,
    temperature: scene.facts.temperature,
    between: shownPair(state),
    terms: scene.facts.terms,
    dino: [...scene.dino],
    masked: scene.ibot.length,
    patch: { at, row: told[0], col: told[1], m, same, teacher: first, student: guess },
    caption,
  };
}
