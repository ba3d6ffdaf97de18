/* The changes that hold, in their order: each can be switched, moved and taken away. */
import { button } from "../../ui/controls.js";
import { el } from "../../ui/dom.js";
import { fits, nameOf } from "./edits.js";

/**
 * @param {import("./state.js").State} state
 * @param {import("./state.js").Editing} editing
 */
export function createChips(state, editing) {
  const list = el("ol", {
      class: "inside-chips",
      "aria-label": "Changes, in the order they hold",
    }),
    none = el("p", {
      class: "inside-quiet",
      text: "Nothing is changed yet. Paint on the picture, or switch something off in the grid.",
    });
  const undo = button("Undo", editing.undo, "Ctrl Z"),
    redo = button("Redo", editing.redo, "Ctrl Shift Z"),
    clear = button("Remove all", () => editing.set([]));
  let drawn = "";

  /** @param {import("./edits.js").Edit} edit @param {number} at */
  function chip({ text, on }, at) {
    const there = !state.view || fits(text, state.view),
      name = nameOf(text);
    const small = (
      /** @type {string} */ sign,
      /** @type {string} */ what,
      /** @type {() => unknown} */ work,
    ) =>
      el("button", {
        type: "button",
        text: sign,
        "aria-label": `${what}: ${name}`,
        title: what,
        onclick: work,
      });
    return el(
      "li",
      { class: on && there ? "inside-change" : "inside-change off" },
      el("button", {
        type: "button",
        class: "name",
        text: there ? name : `${name} (not in this model or picture)`,
        title: `${text}. Click to ${on ? "switch off" : "switch on"}.`,
        "aria-pressed": String(on),
        onclick: () => editing.flip(at),
      }),
      at > 0 ? small("‹", "Earlier", () => editing.move(at, -1)) : null,
      at < state.edits.length - 1 ? small("›", "Later", () => editing.move(at, 1)) : null,
      small("×", "Remove", () => editing.replace(at, null)),
    );
  }

  return {
    node: el(
      "div",
      { class: "inside-change-bar" },
      el("div", { class: "inside-change-list" }, list, none),
      el("div", { class: "inside-controls" }, undo, redo, clear),
    ),
    draw() {
      const text = JSON.stringify([state.edits, state.view?.key, state.view?.grid]);
      undo.disabled = !editing.canUndo();
      redo.disabled = !editing.canRedo();
      clear.disabled = state.edits.length === 0;
      none.hidden = state.edits.length > 0;
      if (text === drawn) return;
      const focused = [...list.querySelectorAll("button")].findIndex(
        (one) => one === document.activeElement,
      );
      drawn = text;
      list.replaceChildren(...state.edits.map(chip));
      if (focused >= 0) {
        const buttons = list.querySelectorAll("button");
        (buttons[Math.min(focused, buttons.length - 1)] ?? undo).focus();
      }
    },
  };
}
