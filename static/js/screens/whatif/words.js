/* Any other change, as it is written on the command line; the server says what is wrong with one. */
import { ServerError } from "../../page/errors.js";
import { button } from "../../ui/controls.js";
import { el } from "../../ui/dom.js";

/**
 * @param {import("./state.js").Editing} editing
 * @param {(text: string) => Promise<void>} check ServerError where the server does not take it
 * @param {(work: () => unknown) => unknown} run
 */
export function createWords(editing, check, run) {
  /** @type {HTMLInputElement} */
  const input = el("input", {
    type: "text",
    "aria-label": "A change in words",
    placeholder: "SITE=VALUE, such as neuron:4.120=zero",
    spellcheck: "false",
    onkeydown: (event) => {
      if (event.key === "Enter") run(add);
    },
  });
  const refused = el("p", { class: "inside-note", role: "alert", hidden: true });

  async function add() {
    const text = input.value.trim();
    if (!text) return;
    try {
      await check(text);
      editing.add(text);
      input.value = "";
      refused.hidden = true;
    } catch (error) {
      if (!(error instanceof ServerError)) throw error;
      refused.textContent = error.message;
      refused.hidden = false;
    }
  }
  return {
    node: el(
      "div",
      { class: "inside-stack" },
      el(
        "div",
        { class: "inside-words" },
        input,
        button("Add", () => run(add)),
      ),
      refused,
      el("p", {
        class: "inside-quiet",
        text:
          "Sites: tokens, scores, head, attention, mlp, neuron with :BLOCK or :BLOCK.UNIT; positions; " +
          "registers (also =out). Blocks, heads and units count from 0.",
      }),
    ),
  };
}
