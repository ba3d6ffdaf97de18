/* Which schedules, and at which step. */
import { kept } from "../../page/link.js";
import { pick, slider } from "../../ui/controls.js";
import { el } from "../../ui/dom.js";
import { spaced } from "../../ui/format.js";
import { describeStep, valuesSentence } from "./schedules.js";
import { OPEN_RUN } from "./state.js";

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
export const DEFAULT = PRESETS[0][0];

/** What the link names; null: nobody has chosen, and the open run is followed. */
export const linkedPreset = () => PRESETS.find(([name]) => name === kept("schedule"))?.[0] ?? null;

/** @returns {number | null} */
export function linkedStep() {
  const step = Number.parseInt(kept("cursor") ?? "", 10);
  return Number.isNaN(step) ? null : step;
}

/**
 * @param {State} state
 * @param {(change: Partial<State>) => void} update
 * @param {(preset: string) => void} onpreset
 */
export function createControls(state, update, onpreset) {
  const presets = pick("Preset", PRESETS, linkedPreset() ?? DEFAULT, onpreset);
  let withRun = false;
  const cursor = slider("Step", {
    format: (index) => spaced(state.scene?.steps[index] ?? 0),
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
        { words } = scene.facts;
      if (loaded.offered !== withRun) {
        withRun = loaded.offered;
        presets.fill(
          [...(withRun ? [/** @type {const} */ ([OPEN_RUN, "The open run"])] : []), ...PRESETS],
          loaded.source,
        );
      }
      presets.set(loaded.source);
      about.textContent = `${words[0].toUpperCase()}${words.slice(1)}.`;
      cursor.limit(scene.steps.length - 1);
      cursor.set(at);
      story.textContent = describeStep(loaded);
      values.textContent = valuesSentence(loaded);
    },
  };
}
