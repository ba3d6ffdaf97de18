/* A visitor's own checkpoints: a file that is chosen, or dropped on the rail, becomes a model of the
   list, and the open picture is looked at in it. What is refused is said in one sentence, and nothing
   that is shown is lost. */
import { button } from "../ui/controls.js";
import { el } from "../ui/dom.js";
import { percent } from "../ui/format.js";
import { fileButton } from "../ui/upload.js";
import { bus } from "./bus.js";
import { sentenceOf } from "./errors.js";
import { createExporting } from "./exporting.js";
import { isCheckpointFile } from "./picture-upload.js";
import { requestJson } from "./scenes.js";
import { connect, currentView, openScreen, sendToPython, STRIP } from "./screens.js";
import { sendFile } from "./uploads.js";

/**
 * @typedef {object} Checkpoint what the server tells of one
 * @property {string} name among the models
 * @property {string} title
 */

/** @typedef {import("./checkpoint-question.js").Question} Question */

const COMPONENT = "checkpoint",
  PREFIX = "checkpoint-";
const HINT =
  "Add a checkpoint of your own: .safetensors or .pth, official, Hugging Face (its folder as a zip, " +
  "too), timm or a run's. " +
  "Only this browser can use it; it is kept for a week.";

/** The same picture in a model that came to the visitor's list. @param {string} name */
export const openModel = (name) => sendToPython(COMPONENT, name);

/**
 * What a run has written becomes a model of the visitor's list.
 *
 * @param {string} run
 * @param {number | null} step null: what came out last
 * @returns {Promise<Checkpoint & { compare_with: string }>}
 */
export const addFromRun = (run, step) =>
  requestJson(`checkpoints/run/${run}${step === null ? "" : `?step=${step}`}`, { method: "POST" });

/** Opens Features > Compare with another model beside the page's. @param {string} model */
export function compareWith(model) {
  wanted = model;
  openScreen("features");
  bus.emit("compare", model);
}

/** @type {string | null} */
let wanted = null;

/** The model that a comparison was asked for with, once: by whoever shows it. */
export function takeWanted() {
  const model = wanted;
  wanted = null;
  return model;
}

let tried = false;

/** Whether the classifier of the page's model was asked for, once: by whoever shows it. */
export function takeTried() {
  const was = tried;
  tried = false;
  return was;
}

function tryClassifier() {
  tried = true;
  openScreen("training");
  bus.emit("try", currentView()?.model ?? "");
}

/**
 * The place in the rail, below the list of models.
 *
 * @param {Pick<import("../boot.js").Component, "element" | "props" | "trigger">} component
 */
export function mountCheckpoints({ element, props, trigger }) {
  const place = element.querySelector(".inside-checkpoint");
  if (!place) throw new Error("The place of the checkpoints is not there.");
  connect(COMPONENT, (value) => {
    props.value = value;
    trigger("select");
  });
  const bar = el("progress", { max: 1, hidden: true, "aria-label": "Sent of the checkpoint" }),
    said = el("p", { class: "inside-status", hidden: true }),
    asking = createAsking((work) => alone(work)),
    add = fileButton("Add a checkpoint", ([file]) => void send(file), { title: HINT }),
    attempt = button("Try its classifier", tryClassifier, "Names the open picture, and says why"),
    remove = button("Remove", () => void discard(), "Throws the file of this checkpoint away");
  remove.hidden = attempt.hidden = true;
  const exporting = createExporting(() => currentView()?.model ?? "");
  place.replaceChildren(
    el("div", {}, add, remove),
    el("div", {}, attempt),
    bar,
    said,
    asking.node,
    el(
      "details",
      { class: "inside-more" },
      el("summary", { text: "Export this model" }),
      exporting.node,
    ),
  );

  /** @param {string} text @param {boolean} [alarm] */
  function say(text, alarm = false) {
    said.textContent = text;
    said.hidden = !text;
    said.className = `inside-status ${alarm ? "alarm" : "calm"}`;
    said.setAttribute("role", alarm ? "alert" : "status");
  }

  /** @param {() => Promise<void>} work */
  async function alone(work) {
    add.disabled = remove.disabled = true;
    await work().then(
      () => say(""),
      (error) => say(sentenceOf(error), true),
    );
    add.disabled = remove.disabled = false;
    bar.hidden = true;
  }

  /** @param {File} file */
  const send = (file) =>
    alone(async () => {
      say(`${file.name}: on its way.`);
      bar.value = 0;
      bar.hidden = false;
      const url = `checkpoints?${new URLSearchParams({ name: file.name })}`;
      asking.leave();
      /** @type {Checkpoint | Question} */
      const answer = await sendFile(url, file, (share) => {
        bar.value = share;
        say(`${file.name}: ${share < 1 ? `${percent(share, 0)} sent.` : "it is being read."}`);
      });
      await asking.take(answer);
    });

  const discard = () =>
    alone(async () => {
      const model = currentView()?.model ?? "";
      await requestJson(`checkpoints/${model}`, { method: "DELETE" });
      sendToPython(COMPONENT, ""); // back to the model with which the page begins
    });

  const follow = () => {
    remove.hidden = !currentView()?.model.startsWith(PREFIX);
    attempt.hidden = !currentView()?.classifier;
  };
  // Python opens what the link names, in the model with which the page begins, and says why.
  bus.on("gone", () => sendToPython(STRIP, location.hash));
  let model = "";
  bus.on("view", (view) => {
    follow();
    say("");
    if (view.model !== model) exporting.forget(); // what is offered is of another model
    ({ model } = view);
  });
  follow();
  takeDropped((file) => {
    if (!add.disabled) void send(file);
  });
}

/**
 * Where a checkpoint is asked about that does not tell enough of itself.
 *
 * @param {(work: () => Promise<void>) => unknown} alone
 */
function createAsking(alone) {
  const node = el("div", { hidden: true });
  function leave() {
    node.hidden = true;
    node.replaceChildren();
  }
  /** Opens what was read, or asks what has to be said of it. @param {Checkpoint | Question} answer */
  async function take(answer) {
    leave();
    if ("name" in answer) return openModel(answer.name);
    const { createQuestion } = await import("./checkpoint-question.js");
    const reply = (/** @type {string} */ address) =>
      alone(async () => take(await requestJson(address, { method: "POST" })));
    node.replaceChildren(createQuestion(answer, reply, leave));
    node.hidden = false;
    node.querySelector("select")?.focus();
  }
  return { node, take, leave };
}

/**
 * Files that are dropped on the rail and are no pictures.
 *
 * @param {(file: File) => void} ontake
 */
function takeDropped(ontake) {
  const inRail = (/** @type {DragEvent} */ { target }) =>
    target instanceof Element && target.closest("#rail") !== null;
  addEventListener(
    "dragover",
    (event) => {
      if (inRail(event) && event.dataTransfer?.types.includes("Files")) event.preventDefault();
    },
    true,
  );
  addEventListener(
    "drop",
    (event) => {
      const file = event.dataTransfer?.files[0];
      if (!file || !inRail(event) || !isCheckpointFile(file)) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      ontake(file);
    },
    true, // before the widget of the picture, which would refuse it
  );
}
