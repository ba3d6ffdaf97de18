/* The form that starts a run: pictures, recipe, length; or labels and what may learn. */
import { sentenceOf } from "../../page/errors.js";
import { speakOf } from "../../page/lesson.js";
import { requestJson } from "../../page/scenes.js";
import { sendFile } from "../../page/uploads.js";
import { button, choice } from "../../ui/controls.js";
import { el } from "../../ui/dom.js";
import { percent } from "../../ui/format.js";
import { createPictureChoice } from "../../ui/picture-choice.js";
import { createModels, createMore, createRecipes, createTuning } from "./form-fields.js";
import { classesOf, leftOutSentences, picturesSentence, whyNotStart } from "./form-sentences.js";

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

  const kinds = choice("What to do", KINDS, state.kind, (kind) => {
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
      filled = { ...state, preset };
    tuning.node.hidden = !tuned;
    models.node.hidden = !tuned && !preset?.needs_weights;
    models.name(state.kind);
    pictures.draw(filled);
    recipes.draw(state.kind);
    more.draw({
      labels: !tuned && state.zip !== null && classesOf(state.zip).length > 0,
      view: state.view,
    });
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
      if (recipes.chosen(state.kind)) return;
      recipes.offer(answer);
      if (state.view) models.choose(state.view.model);
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

/** @param {object} request @returns {Promise<RunCard>} */
const postRun = (request) => requestJson("runs", { method: "POST", body: JSON.stringify(request) });

/**
 * @param {Upload} zip
 * @param {import("../../ui/picture-choice.js").PictureChoice} answers
 * @returns {Promise<Upload>}
 */
const postChoice = ({ token }, answers) =>
  requestJson(`runs/pictures/${token}`, { method: "POST", body: JSON.stringify(answers) });

/**
 * The pictures to learn from: the samples, or a zip of the visitor's.
 *
 * @param {(zip: Upload | null) => void} onchoose
 * @param {(task: () => Promise<unknown>) => unknown} work
 */
function createPictures(onchoose, work) {
  const file = el("input", {
    type: "file",
    accept: ".zip,application/zip",
    class: "inside-hidden",
    tabindex: "-1",
    "aria-label": "A zip of pictures",
    onchange: () => {
      const [picked] = file.files ?? [];
      if (picked) work(() => upload(picked));
      file.value = ""; // the same file may be chosen again
    },
  });
  const ask = button("", () => file.click()),
    samples = button("Take the samples instead", () => onchoose(null)),
    words = el("p", { class: "inside-note", "aria-live": "polite" }),
    leftOut = el("div", { class: "inside-left-out" });

  /** @param {File} picked */
  async function upload(picked) {
    const url = `runs/pictures?name=${encodeURIComponent(picked.name)}`;
    const showProgress = (/** @type {number} */ share) => {
      words.textContent = `${picked.name}: ${percent(share, 0)} sent.`;
    };
    /** @type {Upload} */
    const zip = await sendFile(url, picked, showProgress);
    onchoose(zip);
  }

  /** @type {Upload | null} */
  let shown = null;
  const which = createPictureChoice("Look again", (answers) =>
    work(async () => shown && onchoose(await postChoice(shown, answers))),
  );

  return {
    node: el(
      "div",
      { class: "inside-stack" },
      el("div", { class: "inside-controls" }, ask, samples, file),
      words,
      leftOut,
      which.node,
    ),
    /** @param {import("./form-sentences.js").Filled} filled */
    draw(filled) {
      const { kind, zip, busy } = filled;
      shown = zip;
      which.draw(zip, busy);
      samples.hidden = kind === "fine-tuning" || !zip;
      ask.textContent = zip ? "Another zip" : "Upload a zip of pictures";
      words.textContent = picturesSentence(filled);
      leftOut.replaceChildren(
        ...leftOutSentences(zip).map((text) => el("p", { class: "inside-note", text })),
      );
    },
  };
}

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
