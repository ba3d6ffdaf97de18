/* What can be taken from the screen: always of the schedules that it shows. */
import { NotShownYet } from "../../page/errors.js";
import { exportBar } from "../../page/export.js";
import { PARTS } from "./schedules.js";
import { shownAddress } from "./state.js";

/** @typedef {import("./state.js").Loaded} Loaded */

/**
 * @param {import("./state.js").State} state
 * @param {() => Promise<HTMLCanvasElement>} png
 */
export const createExports = (state, png) =>
  exportBar("update", {
    png,
    npz: () => `${shownAddress(shown(state))}?form=npz`,
    csv: () => scheduleTable(shown(state)),
    python: () => pythonLines(shown(state)),
  });

/** @param {import("./state.js").State} state */
function shown(state) {
  if (!state.scene) throw new NotShownYet();
  return /** @type {Loaded} */ (state);
}

/** A line a step. @param {Pick<Loaded, "scene">} state */
function scheduleTable({ scene }) {
  const lines = Array.from(scene.steps, (step, i) =>
    [step, ...PARTS.map((name) => scene[name][i])].join(","),
  );
  return `${[["step", ...PARTS].join(","), ...lines].join("\n")}\n`;
}

/** @param {Loaded} state */
const pythonLines = ({ scene, at, run }) => `from dino_core.schedules import values_at
${run ? ofRun(run) : ofPreset(scene.facts.preset)}
print(config.steps)
print(values_at(${scene.steps[at]}, config))`;

/** @param {string} preset */
const ofPreset = (preset) => `from dino_core.runs.presets import find_preset

config = find_preset("${preset}").train.schedule`;

/** @param {string} run */
const ofRun = (run) => `from dino_core.runs.folder import RunFolder
from dino_core.runs.setup import stored_setup

config = stored_setup(RunFolder("runs/${run}")).run.train.schedule`;
