/* What the screen shows, as tests read it. */

/** @param {import("./state.js").Loaded} state */
export const exposed = ({ shown, scene, draws, hovered, pinned, pair }) => ({
  key: shown.key,
  seed: shown.seed,
  blur: scene.facts.blur,
  crops: scene.facts.crops,
  overlaps: scene.overlaps,
  config: scene.facts.config,
  many: draws?.facts,
  hovered,
  pinned,
  pair,
});
