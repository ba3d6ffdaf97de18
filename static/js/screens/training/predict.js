/* Try it: the open picture, and others that are dropped, asked of a classifier: of a fine-tuned run, or of
   the one beside the page's model. */
import { takeTried } from "../../page/checkpoints.js";
import { bus } from "../../page/bus.js";
import { sentenceOf } from "../../page/errors.js";
import { pictureToSend } from "../../page/picture-upload.js";
import { fetchScene, requestJson, sceneUrl } from "../../page/scenes.js";
import { isOpen } from "../../page/screens.js";
import { el } from "../../ui/dom.js";
import { percent } from "../../ui/format.js";
import { dropZone, fileButton } from "../../ui/upload.js";
import { createAnswer } from "./answer.js";

/** @typedef {import("../../types/scenes").predicting.PredictScene} PredictScene */
/** @typedef {import("../../types/page").View} View */
/** @typedef {import("./state.js").RunDetails} RunDetails */
/** @typedef {(work: () => Promise<unknown>) => unknown} Work tells what goes wrong */

/**
 * @typedef {object} Subject who is asked
 * @property {"run" | "model"} kind
 * @property {string} name of it
 * @property {string} title
 */

const MOST = 24; // pictures that are asked of it at once
const NAMED = 3; // classes of each

/** The classifier of the open run, once it is there. @param {Work} work */
export function createPredict(work) {
  const trial = createTrial(work);
  return {
    node: trial.node,
    look: trial.look,
    /** @param {RunDetails} now */
    draw({ name, kind, report, pictures_shown: shown }) {
      const there = kind === "fine-tuning" && report && shown;
      trial.ask(there ? { kind: "run", name, title: "Try it" } : null);
    },
  };
}

/** The classifier beside the page's model, where there is one. @param {Work} work */
export function createModelTrial(work) {
  const trial = createTrial(work);
  const goThere = () => {
    if (!trial.node.hidden && takeTried()) trial.node.scrollIntoView({ block: "start" });
  };
  bus.on("try", () => setTimeout(goThere)); // once the screen is in sight
  return {
    node: trial.node,
    /** Another picture or model is open. @param {View} view */
    look(view) {
      const { model, model_title: title } = view;
      const subject = { name: model, title: `Try ${title || model}` };
      trial.ask(view.classifier ? { kind: "model", ...subject } : null);
      trial.look(view);
      setTimeout(goThere);
    },
  };
}

/** @param {Work} run */
function createTrial(run) {
  const title = el("h2"),
    said = el("p", { class: "inside-note", "aria-live": "polite" }),
    answer = createAnswer(),
    others = createOthers(),
    more = fileButton("Ask about other pictures", (files) => ask(files), {
      several: true,
      title: "Or drop them here",
    });
  const node = el(
    "section",
    { class: "inside-try", hidden: true },
    title,
    said,
    answer.node,
    el("div", { class: "inside-controls" }, more),
    others.node,
  );
  /** @type {View | null} */
  let view = null;
  /** @type {Subject | null} */
  let subject = null;
  let asked = ""; // the picture and the subject that are shown, or on their way

  /** @param {string} wanted @param {Subject} who @param {View} of */
  async function load(wanted, who, of) {
    said.textContent = `${titleOf(of)}: it is being asked.`;
    answer.node.classList.toggle("inside-late", true);
    try {
      /** @type {PredictScene} */
      const scene = await fetchScene(sceneUrl(of.key, "predict", { [who.kind]: who.name }));
      if (wanted !== asked) return; // overtaken
      said.textContent = sentence(titleOf(of), scene);
      answer.draw(scene, who.name);
      answer.node.classList.toggle("inside-late", false);
    } catch (error) {
      if (wanted === asked) [said.textContent, asked] = [sentenceOf(error), ""];
    }
  }

  /** @param {File[]} files */
  const ask = (files) =>
    run(async () => {
      for (const file of files.slice(0, MOST)) if (subject) await others.ask(file, subject);
    });

  dropZone(node, ({ files }) => ask([...files]));

  function follow() {
    const wanted = `${subject?.kind} ${subject?.name} ${view?.key ?? ""}`;
    if (!subject || !view || wanted === asked || !isOpen("training")) return;
    asked = wanted;
    void load(wanted, subject, view);
  }

  return {
    node,
    /** Another picture is open. @param {View} next */
    look(next) {
      view = next;
      follow();
    },
    /** Somebody else is asked, or nobody. @param {Subject | null} next */
    ask(next) {
      if (next?.name !== subject?.name) others.forget();
      subject = next;
      title.textContent = next?.title ?? "";
      node.hidden = !next;
      follow();
    },
  };
}

/** @param {View} view */
const titleOf = ({ sample }) => sample || "Your picture";

/** @param {string} title @param {PredictScene} scene */
function sentence(title, { facts: { classes, probabilities, reads } }) {
  return [`${title}: ${classes[0]}, ${percent(probabilities[0])} sure.`, reads]
    .filter(Boolean)
    .join(" ");
}

/** Answers for pictures that were dropped, the newest first. */
function createOthers() {
  const node = el("div", { class: "inside-thumbs" });
  /** @type {string[]} */
  let urls = [];
  return {
    node,
    forget() {
      for (const url of urls) URL.revokeObjectURL(url);
      urls = [];
      node.replaceChildren();
    },
    /** @param {File} file @param {Subject} subject */
    async ask(file, { kind, name }) {
      const words = el("span", { text: "it is being asked" }),
        title = el("b", { text: file.name }),
        url = URL.createObjectURL(file);
      urls.push(url);
      const image = el("img", { src: url, alt: file.name });
      node.prepend(el("figure", { title: file.name }, image, el("figcaption", {}, title, words)));
      try {
        /** @type {PredictScene["facts"]} */
        const { classes, probabilities } = await requestJson(
          `${kind}s/${encodeURIComponent(name)}/predict?count=${NAMED}`,
          { method: "POST", body: await pictureToSend(file) },
          { repeatable: true },
        );
        title.textContent = classes[0];
        words.textContent = classes
          .map((one, i) => `${i ? `${one} ` : ""}${percent(probabilities[i])}`)
          .join(", ");
      } catch (error) {
        words.textContent = sentenceOf(error);
      }
    },
  };
}
