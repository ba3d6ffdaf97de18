/* The form that starts a run: pictures, recipe, length; or labels and what may learn. */
import { sentenceOf } from "../../page/errors.js";
import { speakOf } from "../../page/lesson.js";
import { requestJson } from "../../page/scenes.js";
import { button, choice } from "../../ui/controls.js";
import { el } from "../../ui/dom.js";
import { createModels, createMore, createRecipes, createTuning } from "./form-fields.js";
import { createPictures } from "./form-pictures.js";
import { whyNotStart } from "./form-sentences.js";

/** @typedef {import("../../types/page").View} View */
/** @typedef {import("../../types/runs").Upload} Upload */
/** @typedef {import("../../types/runs").RunCard} RunCard */

const KINDS = /** @type {const} */ ([
  ["pretraining", "Without labels"],
  ["fine-tuning", "With labels"],
  ["distillation", "Distil"],
]);

/**
 * @typedef {object} FormState
 * @property {(typeof KINDS)[number][0]} kind
 * @property {Upload | null} zip null: the samples
 * @property {View | null} view
 * @property {boolean} busy
 * @property {string} problem to tell; empty: none
 */

/** @param {(run: RunCard) => void} onstart is told the run that was started */
export function createForm(onstart) {
  /** @type {FormState} */
  const state = { kind: KINDS[0][0], zip: null, view: null, busy: false, problem: "" };
  /** @param {Partial<FormState>} change */
  function update(change) {
    Object.assign(state, change);
    draw();
  }

  const kinds = createKinds((kind) => {
    update({ kind });
    speakOf("training", kind); // until a run is opened
  });
  const pictures = createPictures((zip) => update({ zip }), work),
    recipes = createRecipes(() => draw()),
    tuning = createTuning(),
    models = createModels(),
    more = createMore(),
    start = createStart(() => work(begin));
  const node = el(
    "section",
    { class: "inside-form", "aria-label": "Start a run" },
    el("h2", { text: "Start a run" }),
    kinds.node,
    pictures.node,
    recipes.node,
    tuning.node,
    models.node,
    more.node,
    start.node,
  );

  function draw() {
    const tuned = state.kind === "fine-tuning",
      preset = recipes.chosen(state.kind),
      filled = { ...state, preset, recipe: recipes.recipe() };
    tuning.node.hidden = !tuned;
    models.node.hidden = !tuned && !preset?.needs_weights;
    models.name(state.kind);
    pictures.draw(filled);
    recipes.draw(state.kind);
    more.draw(state);
    start.draw(whyNotStart(filled), state.problem);
  }

  /** What takes a while; nothing else can be done meanwhile. @param {() => Promise<unknown>} task */
  async function work(task) {
    update({ busy: true, problem: "" });
    await task().catch((error) => update({ problem: sentenceOf(error) }));
    update({ busy: false });
  }

  async function begin() {
    const request = {
      kind: state.kind,
      data: state.zip?.token ?? "samples",
      ...recipes.filled(state.kind),
      ...tuning.filled(),
      ...models.filled(),
      ...more.filled(state.view),
    };
    onstart(await postRun(request));
  }

  return {
    node,
    /** What there is to choose from. @param {import("../../types/runs").Runs} answer */
    offer(answer) {
      models.offer(answer.models);
      pictures.offer(answer.galleries);
      if (!recipes.chosen(state.kind)) {
        recipes.offer(answer);
        if (state.view) models.choose(state.view.model);
        if (!answer.runs.some(({ mine }) => mine)) kinds.suggest("distillation");
      }
      draw();
    },
    /** The picture that is open. @param {View} view */
    follow(view) {
      models.choose(view.model);
      update({ view });
    },
    get exposed() {
      const { kind, zip, problem } = state,
        { name = null, pictures: count = null } = zip ?? {};
      return { kind, zip: name, pictures: count, problem: problem || null };
    },
  };
}

/**
 * What a run is to do. A visitor's first one is suggested: one in which something is learnt, and soon.
 *
 * @param {(kind: FormState["kind"]) => void} onchange
 */
function createKinds(onchange) {
  let hasChosen = false;
  const kinds = choice("What to do", KINDS, KINDS[0][0], (kind) => {
    hasChosen = true;
    onchange(kind);
  });
  return {
    node: kinds.node,
    /** Unless somebody has chosen. @param {FormState["kind"]} kind */
    suggest(kind) {
      if (hasChosen) return;
      kinds.set(kind);
      onchange(kind);
    },
  };
}

/** @param {object} request @returns {Promise<RunCard>} */
const postRun = (request) => requestJson("runs", { method: "POST", body: JSON.stringify(request) });

/**
 * The button that starts the run, why it cannot, and what went wrong.
 *
 * @param {() => void} onclick
 */
function createStart(onclick) {
  const start = button("Start", onclick),
    why = el("p", { class: "inside-note inside-why", id: "inside-why-not-start" }),
    problem = el("p", { class: "inside-problem", role: "alert", hidden: true });
  start.classList.add("inside-start");
  start.setAttribute("aria-describedby", why.id);
  return {
    node: el("div", { class: "inside-stack" }, problem, start, why),
    /** @param {string} reason why not; empty: it can @param {string} error */
    draw(reason, error) {
      start.disabled = reason !== "";
      why.textContent = reason;
      why.hidden = reason === "";
      problem.textContent = error;
      problem.hidden = error === "";
    },
  };
}
