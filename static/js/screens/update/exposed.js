/* What the screen shows, as tests read it. */
import { PARTS } from "./schedules.js";
import { shownAddress } from "./state.js";

/** @param {import("./state.js").Loaded} loaded */
export const exposed = (loaded) => {
  const { scene, at, distance, source } = loaded;
  return {
    source,
    address: shownAddress(loaded),
    preset: scene.facts.preset,
    step: scene.steps[at],
    total: scene.facts.total,
    ...Object.fromEntries(PARTS.map((name) => [name, scene[name][at]])),
    run: distance?.run ?? null,
    layers: distance?.layers.length ?? 0,
  };
};
