/* Try it: the open picture, and others that are dropped, asked of a fine-tuned run. */
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

const MOST = 24; // pictures that are asked of it at once
const NAMED = 3; // classes of each

/** @param {(work: () => Promise<unknown>) => unknown} run tells what goes wrong */
export function createPredict(run) {
  const said = el("p", { class: "inside-note", "aria-live": "polite" }),
    answer = createAnswer(),
    others = createOthers(),
    more = fileButton("Ask about other pictures", (files) => ask(files), {
      several: true,
      title: "Or drop them here",
    });
  const node = el(
    "section",
    { class: "inside-try", hidden: true },
    el("h2", { text: "Try it" }),
    said,
    answer.node,
    el("div", { class: "inside-controls" }, more),
    others.node,
  );
  /** @type {View | null} */
  let view = null;
  let name = "",
    asked = ""; // the picture and run that are shown, or on their way

  /** @param {string} wanted */
  async function load(wanted) {
    if (!view) return;
    said.textContent = `${titleOf(view)}: it is being asked.`;
    answer.node.classList.toggle("inside-late", true);
    try {
      /** @type {PredictScene} */
      const scene = await fetchScene(sceneUrl(view.key, "predict", { run: name }));
      if (wanted !== asked) return; // overtaken
      said.textContent = sentence(titleOf(view), scene);
      answer.draw(scene, name);
      answer.node.classList.toggle("inside-late", false);
    } catch (error) {
      if (wanted === asked) [said.textContent, asked] = [sentenceOf(error), ""];
    }
  }

  /** @param {File[]} files */
  const ask = (files) =>
    run(async () => {
      for (const file of files.slice(0, MOST)) await others.ask(file, name);
    });

  dropZone(node, ({ files }) => ask([...files]));

  function follow() {
    const wanted = `${name} ${view?.key ?? ""}`;
    if (node.hidden || !view || wanted === asked || !isOpen("training")) return;
    asked = wanted;
    void load(wanted);
  }

  return {
    node,
    /** Another picture is open. @param {View} next */
    look(next) {
      view = next;
      follow();
    },
    /** @param {RunDetails} now */
    draw(now) {
      if (now.name !== name) others.forget();
      name = now.name;
      node.hidden = !(now.kind === "fine-tuning" && now.report && now.pictures_shown);
      follow();
    },
  };
}

/** @param {View} view */
const titleOf = ({ sample }) => sample || "Your picture";

/** @param {string} title @param {PredictScene} scene */
function sentence(title, { facts: { classes, probabilities } }) {
  return `${title}: ${classes[0]}, ${percent(probabilities[0])} sure.`;
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
    /** @param {File} file @param {string} run */
    async ask(file, run) {
      const words = el("span", { text: "it is being asked" }),
        title = el("b", { text: file.name }),
        url = URL.createObjectURL(file);
      urls.push(url);
      const image = el("img", { src: url, alt: file.name });
      node.prepend(el("figure", { title: file.name }, image, el("figcaption", {}, title, words)));
      try {
        /** @type {PredictScene["facts"]} */
        const { classes, probabilities } = await requestJson(
          `runs/${run}/predict?count=${NAMED}`,
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
