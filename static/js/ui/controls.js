/* Things to set: a slider, a choice of buttons, a button that stays pressed, a drop-down list. Each is
   { node, set(value) } and more; `set` shows a value without telling anybody. */
import { el } from "./dom.js";

/** @typedef {string | number} Key */
/** @typedef {readonly (readonly [Key, string])[]} Choices [value, label] each */

/**
 * A range input with its label and value.
 *
 * @param {string} label
 * @param {object} options
 * @param {number} [options.min]
 * @param {number} [options.max]
 * @param {number} [options.step]
 * @param {number} [options.value]
 * @param {(value: number) => string} [options.format] the value in words
 * @param {(value: number) => unknown} options.oninput
 */
export function slider(label, { min = 0, max = 1, step = 1, value = 0, format = String, oninput }) {
  const output = el("output", { class: "inside-value" });
  const input = el("input", { type: "range", min, max, step, value, "aria-label": label });
  const show = () => {
    output.textContent = format(Number(input.value));
    input.setAttribute("aria-valuetext", output.textContent);
  };
  input.addEventListener("input", () => {
    show();
    oninput(Number(input.value));
  });
  show();
  const name = el("span", { text: label });
  return {
    node: el("label", { class: "inside-slider" }, name, input, output),
    input,
    set(/** @type {number} */ next) {
      input.value = String(next);
      show();
    },
    /** The largest value. */
    limit(/** @type {number} */ last) {
      input.max = String(last);
      show();
    },
    rename(/** @type {string} */ next) {
      name.textContent = next;
      input.setAttribute("aria-label", next);
    },
  };
}

/**
 * Buttons of which one is pressed.
 *
 * @template {Key} Value
 * @param {string} label
 * @param {readonly (readonly [Value, string])[]} choices [value, label] each
 * @param {Value} value
 * @param {(value: Value) => unknown} onchoose
 */
export function choice(label, choices, value, onchoose) {
  const buttons = choices.map(([key, text]) =>
    el("button", {
      type: "button",
      "data-value": key,
      text,
      onclick: () => {
        set(key);
        onchoose(key);
      },
    }),
  );
  const set = (/** @type {Value} */ next) =>
    buttons.forEach((button) =>
      button.setAttribute("aria-pressed", String(button.dataset.value === String(next))),
    );
  set(value);
  const node = el(
    "div",
    { class: "inside-choice", role: "group", "aria-label": label },
    ...buttons,
  );
  return { node, set };
}

/**
 * A button that stays pressed.
 *
 * @param {string} text
 * @param {string} title
 * @param {boolean} pressed
 * @param {(pressed: boolean) => unknown} onchange
 */
export function toggle(text, title, pressed, onchange) {
  const set = (/** @type {boolean} */ next) => button.setAttribute("aria-pressed", String(next));
  const button = el("button", {
    type: "button",
    class: "inside-button",
    text,
    title,
    onclick: () => {
      const next = button.getAttribute("aria-pressed") !== "true";
      set(next);
      onchange(next);
    },
  });
  set(pressed);
  return { node: button, set };
}

/**
 * A drop-down list.
 *
 * @param {string} label
 * @param {Choices} choices
 * @param {Key} value
 * @param {(value: string) => unknown} onchoose
 */
export function pick(label, choices, value, onchoose) {
  /** @type {HTMLSelectElement} */
  const input = el("select", { "aria-label": label, onchange: () => onchoose(input.value) });
  const fill = (/** @type {Choices} */ all, /** @type {Key} */ now) =>
    input.replaceChildren(
      ...all.map(([key, text]) =>
        el("option", { value: key, text, selected: String(key) === String(now) }),
      ),
    );
  fill(choices, value);
  return {
    node: el("label", { class: "inside-pick" }, el("span", { text: label }), input),
    input,
    fill,
    set(/** @type {Key} */ next) {
      input.value = String(next);
    },
  };
}

/**
 * A button of the page.
 *
 * @param {string} text
 * @param {(event: MouseEvent) => unknown} onclick
 * @param {string | null} [title]
 */
export const button = (text, onclick, title = null) =>
  el("button", { type: "button", class: "inside-button", text, title, onclick });
