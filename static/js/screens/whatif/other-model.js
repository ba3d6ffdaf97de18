/* The same picture with the same changes in another model, beside the page's: two checkpoints before
   and after. */
import { recipeOf, rememberSecond } from "../../page/reopening.js";
import { requestJson, sceneUrl } from "../../page/scenes.js";
import { pick } from "../../ui/controls.js";
import { el } from "../../ui/dom.js";
import { plural } from "../../ui/format.js";
import { highOf, sceneColumn } from "./columns.js";
import { fits } from "./edits.js";

/** @typedef {import("./state.js").Question} Question */
/** @typedef {import("./state.js").WhatIfScene} WhatIfScene */
/** @typedef {import("./state.js").State} State */
/** @typedef {import("./state.js").View} View */
/** @typedef {import("./state.js").Beside} Beside */
/** @typedef {View & { model_title?: string }} Second the picture in the other model */

const NONE = /** @type {const} */ (["", "no other model"]);
const ROWS = /** @type {const} */ ([
  "Attention before",
  "Attention after",
  "Features before",
  "Features after",
  "Change",
]);

/** The models that the page's can stand beside. @param {State} state */
const choicesOf = ({ around, view }) =>
  (around?.models ?? []).filter(([name]) => name !== view?.model);

/** The model that is asked for, as far as this visitor has it. @param {State} state */
export const otherOf = (state) =>
  choicesOf(state).some(([name]) => name === state.other) ? state.other : "";

/** The picture in other models, by its key and the model. @type {Map<string, Promise<Second>>} */
const opened = new Map();

/** @param {View} view @param {string} model @returns {Promise<Second>} */
function openSecond(view, model) {
  const name = `${view.key} ${model}`;
  const known = opened.get(name) ?? openAnew(view, model);
  opened.set(name, known);
  known.catch(() => opened.delete(name));
  return known;
}

/** @param {View} view @param {string} model @returns {Promise<Second>} */
async function openAnew(view, model) {
  const url = sceneUrl(view.key, "second", { model });
  /** @type {Second} */
  const second = await requestJson(url, { method: "POST" }, { repeatable: true });
  const origin = recipeOf(view.key);
  if (origin) rememberSecond(second, origin);
  return { ...second, seed: view.seed };
}

/**
 * What follows in the other model from those of the changes that it can have.
 *
 * @param {Question} question
 * @param {string} model
 * @param {(question: Question) => Promise<WhatIfScene>} fetchEffects
 * @returns {Promise<Beside>}
 */
export async function fetchBeside(question, model, fetchEffects) {
  const second = await openSecond(question.view, model),
    texts = question.texts.filter((text) => fits(text, second));
  const scene = await fetchEffects({ ...question, view: second, texts });
  const left = question.texts.length - texts.length;
  return { model, title: second.model_title ?? model, scene, left };
}

/**
 * @param {(other: string) => unknown} onchoose
 */
export function createOtherModel(onchoose) {
  const choice = pick("The same changes in", [NONE], "", onchoose),
    body = el("div", { class: "inside-two-models" }),
    note = el("p", { class: "inside-quiet" });
  /** @type {Beside | null} */
  let drawn = null;
  let of = /** @type {object | null} */ (null),
    filled = "";
  return {
    node: el("section", { class: "inside-other" }, choice.node, body, note),
    /** @param {State} state */
    draw(state) {
      const choices = choicesOf(state),
        text = choices.join();
      if (text !== filled) choice.fill([NONE, ...choices], otherOf(state));
      filled = text;
      choice.set(otherOf(state));
      choice.node.hidden = !choices.length;
      const { shown } = state,
        beside = (otherOf(state) && shown?.beside) || null;
      body.hidden = note.hidden = !beside;
      if (!beside || !shown || (beside === drawn && shown.scene === of)) return;
      [drawn, of] = [beside, shown.scene];
      const both = [
        { name: shown.view.model_title ?? shown.view.model, scene: shown.scene },
        { name: beside.title, scene: beside.scene },
      ];
      const scenes = both.map(({ scene }) => scene),
        high = highOf(scenes, ROWS);
      body.replaceChildren(
        el(
          "div",
          { class: "inside-rows" },
          ...["", ...ROWS].map((row) => el("span", { text: row })),
        ),
        ...both.map(({ name, scene }) =>
          sceneColumn(scene, { head: el("b", { text: name }), name, rows: ROWS, high }),
        ),
      );
      note.textContent = besideSentence(beside);
    },
  };
}

/** What the numbers are, and what the other model cannot have. @param {Beside} beside */
export function besideSentence({ title, left }) {
  const words =
    "Numbers are cosines to before, of the class token and of the patches on average, after each " +
    "model's last block; attention and change have one range in both.";
  const without = left
    ? ` ${title} has no place for ${plural(left, "of the changes", "of the changes")}: without it.`
    : "";
  return words + without;
}
