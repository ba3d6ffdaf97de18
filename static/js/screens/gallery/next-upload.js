/* What the next upload is looked at with, and what of this one was left out. */
import { pick } from "../../ui/controls.js";
import { el } from "../../ui/dom.js";
import { namedFiles, omittedTitle } from "./sentences.js";

/** @typedef {import("./state.js").State} State */

/** @type {[number, string][]} */
const SIZES = [
  [98, "98 px, quick"],
  [224, "224 px"],
  [336, "336 px"],
];

/** Model and size of the next upload. */
export function createNextUpload() {
  const model = el("select", { "aria-label": "Model" }),
    size = pick("Input size", SIZES, 224, () => {}).input;
  let offered = "";
  const field = (/** @type {string} */ label, /** @type {HTMLElement} */ input) =>
    el("label", { class: "inside-field" }, el("span", { text: label }), input);
  return {
    node: el(
      "div",
      { class: "inside-controls" },
      field("Model of the next upload", model),
      field("Its input size", size),
    ),
    options: () => ({ model: model.value, size: size.value }),
    /** @param {State} state */
    draw({ models, view }) {
      const text = models.join(), // a checkpoint may have come or gone
        chosen = model.options.length ? model.value : view?.model;
      if (text === offered || !models.length) return;
      offered = text;
      model.replaceChildren(
        ...models.map(([name, label]) =>
          el("option", { value: name, text: label, selected: name === chosen }),
        ),
      );
    },
  };
}

/** Files of the upload that are not in the gallery: how many, which, and why. */
export function createOmitted() {
  const title = el("summary"),
    notes = el("div"),
    list = el("ul", { class: "inside-broken", tabindex: "0", "aria-label": "Files left out" }),
    node = el("details", { class: "inside-more inside-omitted", hidden: true }, title, notes, list);
  let drawn = "";
  return {
    node,
    /** @param {State} state */
    draw({ card }) {
      const heading = card ? omittedTitle(card) : "";
      node.hidden = !heading;
      if (!card || !heading) return;
      const lines = [
        ...namedFiles(card.broken, card.broken_count),
        ...namedFiles(card.left_out, card.left_out_count),
      ];
      const text = JSON.stringify([heading, card.notes, lines]);
      if (drawn === text) return;
      drawn = text;
      title.textContent = heading;
      notes.replaceChildren(
        ...card.notes.map((note) => el("p", { class: "inside-note", text: note })),
      );
      list.hidden = !lines.length;
      list.replaceChildren(...lines.map((line) => el("li", { text: line })));
    },
  };
}
