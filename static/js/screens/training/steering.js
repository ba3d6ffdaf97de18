/* What can be asked of the open run; only a second click deletes, for what a run has learnt is
   nowhere else. */
import { sentenceOf } from "../../page/errors.js";
import { button } from "../../ui/controls.js";
import { el } from "../../ui/dom.js";
import { ACTIONS } from "./format.js";

/** @typedef {import("../../types/runs").RunAction} RunAction */
/** @typedef {import("./state.js").RunDetails} RunDetails */

const SURE = 4000; // ms in which a second click deletes
const WATCHING = "You are watching: only the browser that started this run can steer it.";

/**
 * @param {(action: RunAction) => Promise<unknown>} steer
 * @param {(problem: string) => void} showProblem
 */
export function createSteering(steer, showProblem) {
  const node = el("div", { class: "inside-controls" });
  /** @type {HTMLButtonElement[]} */
  let buttons = [];
  let drawn = "";

  /** @param {RunAction} action */
  async function ask(action) {
    for (const one of buttons) one.disabled = true;
    drawn = ""; // whatever comes of it, the buttons are made anew
    await steer(action).catch((error) => {
      for (const one of buttons) one.disabled = false;
      showProblem(sentenceOf(error));
    });
  }

  /** @param {RunAction} action @param {string} text */
  function createButton(action, text) {
    const node_ = button(text, () => {
      if (action !== "delete" || node_.dataset.sure) return void ask(action);
      node_.dataset.sure = "yes";
      node_.textContent = "Really delete?";
      setTimeout(() => {
        delete node_.dataset.sure;
        node_.textContent = text;
      }, SURE);
    });
    node_.dataset.action = action;
    return node_;
  }

  return {
    node,

    /** @param {RunDetails} run */
    draw({ actions, mine, place }) {
      const text = JSON.stringify([actions, mine, place !== null]);
      if (text === drawn) return;
      drawn = text;
      buttons = actions.map((action) =>
        createButton(action, place && action === "stop" ? "Take back" : ACTIONS[action]),
      );
      node.hidden = mine && !buttons.length;
      node.replaceChildren(
        ...buttons,
        ...(mine ? [] : [el("span", { class: "inside-note", text: WATCHING })]),
      );
    },
  };
}
