/* The models of the tray: the page's, and those that were added to it. */
import { pick } from "../../ui/controls.js";
import { el } from "../../ui/dom.js";
import { MOST } from "./state.js";

/** @typedef {import("./state.js").State} State */
/** @typedef {Pick<import("./adding.js").Choices, "models" | "titles">} Choices */

const NONE = "";
const EVERY = ""; // model of a new column

/**
 * @param {object} actions
 * @param {(name: string) => unknown} actions.onadd
 * @param {(name: string) => unknown} actions.onremove
 */
export function createModels({ onadd, onremove }) {
  /** @type {Choices} */
  let choices = { models: [], titles: {} };
  let drawn = "";
  const add = pick("Compare", [[NONE, "Add a model"]], NONE, (name) => {
    add.set(NONE);
    if (name) onadd(name);
  });
  const list = el("ol", {
    class: "inside-chips inside-tray-models",
    "aria-label": "Models of the tray",
  });
  const of = pick("Of", [[EVERY, "every model"]], EVERY, () => {});
  const titleOf = (/** @type {string} */ name) => choices.titles[name] ?? name;

  /** @param {string} name @param {number} at */
  const item = (name, at) =>
    el(
      "li",
      {},
      el("span", { class: "inside-tray-line", text: String(at) }),
      el("span", { text: titleOf(name) }),
      at === 0
        ? null
        : el("button", {
            type: "button",
            text: "×",
            title: "Remove with its columns",
            "aria-label": `Remove: ${titleOf(name)}`,
            onclick: () => remove(name),
          }),
    );

  /** The focus stays in the list, or goes where a model is added. @param {string} name */
  function remove(name) {
    onremove(name);
    (list.querySelector("button") ?? add.input).focus();
  }

  return {
    add: add.node,
    list,
    of: of.node,
    /** The model of a new column; null: every one. */
    chosen: () => (of.input.value === EVERY ? null : Number(of.input.value)),
    /** @param {Choices} now */
    offer({ models, titles }) {
      choices = { models, titles };
    },
    /** @param {Pick<State, "view" | "others">} state */
    draw({ view, others }) {
      const names = [view?.model ?? "", ...others],
        text = JSON.stringify([names, choices]);
      if (text === drawn) return;
      drawn = text;
      const free = choices.models.filter(([name]) => !names.includes(name));
      add.fill([[NONE, "Add a model"], ...free], NONE);
      add.input.disabled = !free.length || names.length >= MOST;
      list.hidden = !others.length;
      list.replaceChildren(...names.map(item));
      const numbered = names.map((name, at) => /** @type {const} */ ([at, titleOf(name)]));
      of.fill([[EVERY, "every model"], ...numbered], EVERY);
    },
  };
}
