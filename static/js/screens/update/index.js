/* Update: what changes from step to step, and how far the teacher is behind the student. */
import { onTheme } from "../../charts/theme.js";
import { bus } from "../../page/bus.js";
import { keep } from "../../page/link.js";
import { createControls, DEFAULT, linkedPreset, linkedStep } from "./controls.js";
import { createExports } from "./exports.js";
import { exposed } from "./exposed.js";
import { createLoading } from "./loading.js";
import { createSchedules, fillUpdateLesson } from "./schedules.js";
import { createState, OPEN_RUN } from "./state.js";
import { createTeacher } from "./teacher.js";

/** @typedef {import("./state.js").State} State */
/** @typedef {import("./state.js").Loaded} Loaded */

/**
 * @param {HTMLElement} root
 * @param {import("../../page/screens.js").Page} page
 * @returns {import("../../page/screens.js").ScreenParts}
 */
export function create(root, page) {
  const { state, update } = createState(render);
  const loading = createLoading(state, update);
  const schedules = createSchedules(state, update),
    teacher = createTeacher(),
    take = createExports(state, schedules.sheet);
  const controls = createControls(state, update, (preset) => {
    keep("schedule", preset === OPEN_RUN ? null : preset);
    page.run(() => loading.loadSchedules(preset, null));
  });
  root.append(controls.node, schedules.node, take.node, teacher.node);

  /** @param {State} now @param {Partial<State>} change */
  function render(now, change) {
    if ("distance" in change) teacher.draw(now);
    if (!now.scene) return;
    const loaded = /** @type {Loaded} */ (now);
    if (change.charts) schedules.open(loaded);
    controls.draw(loaded);
    schedules.draw(loaded);
    const step = now.scene.steps[now.at];
    keep("cursor", step === now.scene.facts.warmup ? null : step);
    fillUpdateLesson(loaded);
    page.expose(exposed(loaded));
    take.refresh();
  }

  onTheme(() => state.scene && page.run(loading.loadCharts));
  bus.on("screen", ({ name }) => {
    if (name === page.name && state.scene) page.run(look);
  });

  /** What is chosen, or else what the run that is open learns by; and how far its networks are. */
  async function look() {
    const preset = await loading.followed(DEFAULT);
    await loading.loadSchedules(linkedPreset() ?? preset, linkedStep());
    await loading.loadDistance();
  }

  return {
    show: look,
  };
}
