/* What the screen shows, as tests read it. */
import { PARTS } from "./schedules.js";

/** @param {import("./state.js").Loaded} loaded */
export const exposed = ({ scene, at, distance }) => ({
  preset: scene.facts.preset,
  step: scene.steps[at],
  total: scene.facts.total,
  ...Object.fromEntries(PARTS.map((name) => [name, scene[name][at]])),
  run: distance?.run ?? null,
  layers: distance?.layers.length ?? 0,
});
