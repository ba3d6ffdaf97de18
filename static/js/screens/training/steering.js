/* What can be asked of the open run; only a second click deletes, for what a run has learnt is
   nowhere else. */
import { sentenceOf } from "../../page/errors.js";
import { button } from "../../ui/controls.js";
import { el } from "../../ui/dom.js";
import { ACTIONS, UNDER_WAY } from "./format.js";

/** @typedef {import("../../types/runs").RunAction} RunAction */
/** @typedef {import("./state.js").RunDetails} RunDetails */

const SURE = 4000; // ms in which a second click deletes
const WATCHING = "You are watching: only the browser that started this run can steer it.";

/**
 * @param {(action: RunAction) => Promise<boolean>} steer true: it is done after the step that the run is in
 * @param {(problem: string) => void} showProblem
 */
export function createSteering(steer, showProblem) {
  const node = el("div", { class: "inside-controls" });
  /** @type {HTMLButtonElement[]} */
  let buttons = [];
  let drawn = "",
    now = ""; // the run that is shown, and its state
  /** What was asked of a run and is not done yet. */
  let asked = /** @type {{ action: RunAction, of: string } | null} */ (null);

  /** Says so at once: a step may take a while, and so may the answer. @param {RunAction} action */
  async function ask(action) {
    asked = { action, of: now };
    showAsked();
    try {
      if (await steer(action)) return; // it comes after the step
    } catch (error) {
      showProblem(sentenceOf(error));
    }
    asked = null;
    drawn = "";
    showAsked();
  }

  function showAsked() {
    const pending = asked?.action;
    for (const one of buttons) {
      const action = /** @type {RunAction} */ (one.dataset.action);
      one.disabled = pending !== undefined;
      one.textContent = action === pending ? UNDER_WAY[action] : (one.dataset.text ?? "");
    }
  }

  /** @param {RunAction} action @param {string} text @param {string} title */
  function createButton(action, text, title) {
    const node_ = button(text, () => {
      if (action !== "delete" || node_.dataset.sure) return void ask(action);
      node_.dataset.sure = "yes";
      node_.textContent = "Really delete?";
      setTimeout(() => {
        delete node_.dataset.sure;
        if (!asked) node_.textContent = text;
      }, SURE);
    });
    node_.dataset.action = action;
    node_.dataset.text = text;
    node_.title = title;
    return node_;
  }

  return {
    node,

    /** @param {RunDetails} run */
    draw({ name, state, actions, mine, place, switches }) {
      now = `${name} ${state}`;
      if (asked?.of !== now) asked = null;
      const text = JSON.stringify([now, actions, mine, place !== null]);
      if (text === drawn) return;
      drawn = text;
      buttons = actions.map((action) =>
        createButton(
          action,
          place && action === "stop" ? "Take back" : ACTIONS[action],
          action === "mend" ? mendSentence(switches) : "",
        ),
      );
      node.hidden = mine && !buttons.length;
      node.replaceChildren(
        ...buttons,
        ...(mine ? [] : [el("span", { class: "inside-note", text: WATCHING })]),
      );
      showAsked();
    },
  };
}

/** What Mend does. @param {string} switches what is switched in the experiment */
const mendSentence = (switches) =>
  `Turns ${switches} back and goes on from the last checkpoint that had not collapsed.`;
