/* The fields of the form, and what is filled in. */
import { choice } from "../../ui/controls.js";
import { el } from "../../ui/dom.js";
import { createExperiment } from "./form-experiment.js";
import { classesOf, presetSentence, recipeSentence } from "./form-sentences.js";

/** @typedef {import("../../types/page").View} View */
/** @typedef {import("../../types/runs").Preset} Preset */

const PARTS = /** @type {const} */ ([
  ["head", "A linear head"],
  ["blocks", "Last blocks"],
  ["all", "Everything"],
]);

const RECIPES = /** @type {const} */ ([
  ["features", "By features"],
  ["paper", "By prototypes"],
]);

/** @param {string} label @param {HTMLElement} input */
const field = (label, input) =>
  el("label", { class: "inside-field" }, el("span", { text: label }), input);

/** @param {string} label @param {Record<string, unknown>} attributes */
const number = (label, attributes) =>
  el("input", { type: "number", step: 1, "aria-label": label, ...attributes });

/** @param {HTMLInputElement} input @param {string} text */
const tick = (input, text) => el("label", { class: "inside-tick" }, input, el("span", { text }));

/** @param {HTMLInputElement} input null: left to the preset */
const valueOf = (input) => (input.value === "" ? null : Number(input.value));

/**
 * Without labels: what is trained, and for how long.
 *
 * @param {"preset" | "student"} what is chosen, as the server calls it
 * @param {() => void} onchange
 */
function createRecipe(what, onchange) {
  /** @type {readonly Preset[]} */
  let presets = [];
  const chosen = () => presets.find(({ name }) => name === preset.value) ?? presets[0];
  const preset = el("select", {
    "aria-label": what === "preset" ? "Preset" : "Student",
    onchange: () => {
      steps.value = String(chosen().steps);
      onchange();
    },
  });
  const words = el("p", { class: "inside-note" }),
    steps = number("Steps", { value: 400, min: 1, max: 100000 });
  return {
    node: el(
      "div",
      { class: "inside-fieldset" },
      field(what === "preset" ? "Preset" : "Student", preset),
      words,
      field("Steps", steps),
    ),
    chosen,

    /** @param {readonly Preset[]} all */
    offer(all) {
      const { value: before } = preset;
      presets = all;
      preset.replaceChildren(
        ...all.map(({ name, fits }) =>
          el("option", { value: name, text: fits ? name : `${name} (needs GPUs)` }),
        ),
      );
      if (all.some(({ name }) => name === before)) preset.value = before;
      steps.value = String(chosen()?.steps ?? steps.value);
    },
    draw() {
      words.textContent = presetSentence(chosen());
    },
    filled: () => ({ [what]: preset.value, steps: valueOf(steps) }),
  };
}

/**
 * What a teacher teaches, and how.
 *
 * @param {() => void} onchange
 */
function createTaught(onchange) {
  /** @type {import("../../types/runs").Recipe} */
  let recipe = "features";
  /** @type {import("../../types/runs").Runs["students"]} */
  let students = { features: [], paper: [] };
  const student = createRecipe("student", onchange),
    words = el("p", { class: "inside-note", text: recipeSentence(recipe) });
  const recipes = choice("How it is taught", RECIPES, recipe, (value) => {
    recipe = value;
    words.textContent = recipeSentence(recipe);
    student.offer(students[recipe]);
    onchange();
  });
  return {
    ...student,
    node: el(
      "div",
      { class: "inside-stack" },
      el("div", { class: "inside-controls" }, recipes.node),
      words,
      student.node,
    ),
    /** @param {import("../../types/runs").Runs["students"]} all */
    offer(all) {
      students = all;
      student.offer(all[recipe]);
    },
    filled: () => ({ recipe, ...student.filled() }),
    recipe: () => recipe,
  };
}

/**
 * What there is to train without labels, and what a teacher may teach: one of them is shown.
 *
 * @param {() => void} onchange
 */
export function createRecipes(onchange) {
  const scratch = createRecipe("preset", onchange),
    experiment = createExperiment(),
    taught = createTaught(onchange);
  /** @param {import("../../types/runs").RunKind} kind */
  const of = (kind) => (kind === "distillation" ? taught : scratch);
  return {
    node: el("div", { class: "inside-stack" }, scratch.node, experiment.node, taught.node),
    /** @param {import("../../types/runs").RunKind} kind */
    chosen: (kind) => of(kind).chosen(),
    /** How a student would be taught. */
    recipe: taught.recipe,
    /** @param {import("../../types/runs").RunKind} kind */
    filled: (kind) => ({ ...of(kind).filled(), ...experiment.filled() }),
    /** @param {import("../../types/runs").Runs} answer */
    offer({ presets, students, experiments }) {
      scratch.offer(presets);
      experiment.offer(experiments);
      taught.offer(students);
    },
    /** @param {import("../../types/runs").RunKind} kind */
    draw(kind) {
      scratch.node.hidden = experiment.node.hidden = kind !== "pretraining";
      taught.node.hidden = kind !== "distillation";
      for (const one of [scratch, taught]) one.draw();
    },
  };
}

/** With labels: what learns, and how long at most. */
export function createTuning() {
  /** @type {(typeof PARTS)[number][0]} */
  let part = "head";
  const blocks = number("Blocks", { value: 2, min: 1, max: 48 }),
    blocksField = field("Blocks", blocks),
    epochs = number("Epochs at most", { min: 1, max: 1000, placeholder: "until nothing improves" });
  const parts = choice("What learns", PARTS, part, (value) => {
    part = value;
    blocksField.hidden = part !== "blocks";
  });
  blocksField.hidden = true;
  return {
    node: el(
      "div",
      { class: "inside-fieldset" },
      parts.node,
      blocksField,
      field("Epochs at most", epochs),
    ),
    filled: () => ({ part, blocks: valueOf(blocks) ?? 2, epochs: valueOf(epochs) }),
  };
}

/** The model that a run starts from, or whom its student follows. */
export function createModels() {
  let offered = ""; // a checkpoint may come or go
  const model = el("select", { "aria-label": "Starts from" }),
    node = field("Starts from", model),
    label = node.querySelector("span");
  return {
    node,
    /** What the model is to the run. @param {import("../../types/runs").RunKind} kind */
    name(kind) {
      const text = kind === "distillation" ? "Teacher" : "Starts from";
      model.setAttribute("aria-label", text);
      if (label) label.textContent = text;
    },
    /** @param {readonly [string, string][]} all name and label */
    offer(all) {
      const { value: chosen } = model;
      if (all.join() === offered) return;
      offered = all.join();
      model.replaceChildren(...all.map(([value, text]) => el("option", { value, text })));
      if (all.some(([value]) => value === chosen)) model.value = chosen;
    },
    /** Chooses a model, if there is such a one. @param {string} name */
    choose(name) {
      if ([...model.options].some(({ value }) => value === name)) model.value = name;
    },
    filled: () => ({ model: model.value }),
  };
}

/** What seldom needs to be changed. */
export function createMore() {
  const batch = number("Pictures a step", {
      min: 1,
      max: 4096,
      placeholder: "as the preset says",
    }),
    seed = number("Seed", { value: 0, min: 0, max: 2 ** 31 - 1 }),
    shares = number("Gradient shares every", {
      value: 50,
      min: 0,
      max: 100000,
      placeholder: "never",
    }),
    sharesField = field("Gradient shares every", shares),
    knn = el("input", { type: "checkbox", checked: true }),
    own = el("input", { type: "checkbox" });
  const knnField = tick(knn, "Measure k-NN accuracy with the zip's labels at each milestone"),
    ownField = tick(own, "Follow my picture too. Everybody who watches this run will see it.");
  return {
    node: el(
      "details",
      { class: "inside-more" },
      el("summary", { text: "More" }),
      el(
        "div",
        { class: "inside-fieldset" },
        field("Pictures a step", batch),
        field("Seed", seed),
        sharesField,
        knnField,
        ownField,
      ),
    ),

    /** @param {import("./form.js").FormState} form */
    draw({ kind, zip, view }) {
      sharesField.hidden = kind === "fine-tuning"; // the others have several losses
      knnField.hidden = kind === "fine-tuning" || !zip || !classesOf(zip).length;
      ownField.hidden = !view || Boolean(view.sample);
    },
    /** @param {View | null} view */
    filled: (view) => ({
      batch: valueOf(batch),
      seed: valueOf(seed) ?? 0,
      gradient_shares: valueOf(shares),
      knn: knn.checked,
      probes: [view?.sample || "cat.jpg"],
      own_probe: own.checked && view && !view.sample ? view.key : null,
    }),
  };
}
