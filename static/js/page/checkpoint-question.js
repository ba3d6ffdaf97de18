/* What a checkpoint does not tell of itself: a field for exactly that, while the file waits on the
   server. */
import { button, pick } from "../ui/controls.js";
import { el } from "../ui/dom.js";

/**
 * @typedef {object} Question
 * @property {string} token of the file that waits
 * @property {string} what a sentence
 * @property {"heads" | "grid" | "branch"} field
 * @property {string[]} choices
 */

export const LABELS = {
  heads: "Attention heads",
  grid: "Rows x columns of its positions",
  branch: "Which of its networks",
};

/** What stands in the list for a choice. @param {string} choice */
export const choiceText = (choice) => choice || "the one without a name";

/** Where an answer goes. @param {Question} question @param {string} value */
export const answerAddress = ({ token, field }, value) =>
  `checkpoints/asked/${token}?${new URLSearchParams({ field, value })}`;

/**
 * @param {Question} question
 * @param {(address: string) => unknown} onanswer
 * @param {() => unknown} onleave
 */
export function createQuestion(question, onanswer, onleave) {
  const { what, field, choices } = question;
  // A wrong answer may be taken without complaint, so that none is given by itself.
  const choice = pick(
    LABELS[field],
    [["", "choose"], ...choices.map((one, i) => /** @type {const} */ ([i, choiceText(one)]))],
    "",
    () => {
      open.disabled = choice.input.value === "";
    },
  );
  const open = button("Open it so", () =>
    onanswer(answerAddress(question, choices[Number(choice.input.value)])),
  );
  open.disabled = true;
  return el(
    "div",
    { class: "inside-question", role: "group", "aria-label": what },
    el("p", { class: "inside-status", role: "status", text: `${what} Do you know?` }),
    choice.node,
    el("div", { class: "inside-controls" }, open, button("Leave it", onleave)),
  );
}
