/* Update: what changes from step to step, and how far the teacher is behind the student. */
import { onTheme } from "../../charts/theme.js";
import { bus } from "../../page/bus.js";
import { keep, kept } from "../../page/link.js";
import { pick, slider } from "../../ui/controls.js";
import { el } from "../../ui/dom.js";
import { spaced } from "../../ui/format.js";
import { createExports } from "./exports.js";
import { createLoading } from "./loading.js";
import {
  createSchedules,
  describeStep,
  fillUpdateLesson,
  PARTS,
  valuesInWords,
} from "./schedules.js";
import { createState } from "./state.js";
import { createTeacher } from "./teacher.js";

/** @typedef {import("./state.js").State} State */
/** @typedef {import("./state.js").Loaded} Loaded */

const PRESETS = /** @type {const} */ ([
  ["official-short", "Official, short"],
  ["official-long", "Official, long"],
  ["tiny", "Tiny"],
  ["small", "Small"],
  ["continue", "Continue"],
  ["heads", "Heads only"],
]);
const DEFAULT = PRESETS[0][0];

/**
 * @param {HTMLElement} root
 * @param {import("../../page/screens.js").Page} page
 * @returns {import("../../page/screens.js").ScreenParts}
 */
export function create(root, page) {
  const { state, update } = createState(render);
  const loading = createLoading(update);
  const schedules = createSchedules(state, update),
    teacher = createTeacher(),
    take = createExports(state, schedules.sheet);
  const controls = createControls(state, update, (preset) => {
    keep("schedule", preset === DEFAULT ? null : preset);
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
    if (name === page.name && state.scene) page.run(loading.loadDistance);
  });

  return {
    async show() {
      if (!state.scene) await loading.loadSchedules(linkedPreset(), linkedStep());
      await loading.loadDistance();
    },
  };
}

const linkedPreset = () => PRESETS.find(([name]) => name === kept("schedule"))?.[0] ?? DEFAULT;

/** @returns {number | null} */
function linkedStep() {
  const step = Number.parseInt(kept("cursor") ?? "", 10);
  return Number.isNaN(step) ? null : step;
}

/**
 * @param {State} state
 * @param {(change: Partial<State>) => void} update
 * @param {(preset: string) => void} onpreset
 */
function createControls(state, update, onpreset) {
  const presets = pick("Preset", PRESETS, linkedPreset(), onpreset);
  const cursor = slider("Step", {
    say: (index) => spaced(state.scene?.steps[index] ?? 0),
    oninput: (at) => update({ at }),
  });
  cursor.node.classList.add("wide");
  const about = el("p", { class: "inside-note" }),
    story = el("p", { class: "inside-details", "aria-live": "polite" }),
    values = el("p", { class: "inside-note inside-step-values" });
  return {
    node: el(
      "div",
      { class: "inside-stack" },
      el("div", { class: "inside-controls" }, presets.node, cursor.node),
      about,
      story,
      values,
    ),
    /** @param {Loaded} loaded */
    draw(loaded) {
      const { scene, at } = loaded,
        { words, preset } = scene.facts;
      presets.set(preset);
      about.textContent = `${words[0].toUpperCase()}${words.slice(1)}.`;
      cursor.limit(scene.steps.length - 1);
      cursor.set(at);
      story.textContent = describeStep(loaded);
      values.textContent = valuesInWords(loaded);
    },
  };
}

/** What the screen shows, as tests read it. @param {Loaded} loaded */
const exposed = ({ scene, at, distance }) => ({
  preset: scene.facts.preset,
  step: scene.steps[at],
  total: scene.facts.total,
  ...Object.fromEntries(PARTS.map((name) => [name, scene[name][at]])),
  run: distance?.run ?? null,
  layers: distance?.layers.length ?? 0,
});
