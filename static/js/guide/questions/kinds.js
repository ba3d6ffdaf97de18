/* The three ways to answer a question: pointing at a patch, choosing one of several, moving a slider.
   Each is handed a task and tells what was chosen; what is right was computed before it asks. */
import { button, slider } from "../../ui/controls.js";
import { el } from "../../ui/dom.js";
import { PatchPicture } from "../../ui/patch-picture.js";

/** @typedef {readonly [row: number, col: number]} Patch */

/**
 * @typedef {object} PointTask
 * @property {"point"} kind
 * @property {string} on selector on the screen: the picture that is pointed at
 * @property {string} url of the picture
 * @property {readonly [number, number]} grid
 * @property {readonly [number, number]} size [width, height]
 * @property {Patch} truth
 * @property {(patch: Patch) => string} tell
 */
/**
 * @typedef {object} ChooseTask
 * @property {"choose"} kind
 * @property {{ value: number, label: string, picture?: HTMLElement }[]} options
 * @property {number} truth
 * @property {(value: number) => string} tell
 */
/**
 * @typedef {object} SlideTask
 * @property {"slide"} kind
 * @property {string} label
 * @property {number} low
 * @property {number} high
 * @property {number} step
 * @property {(value: number) => string} format
 * @property {(value: number) => string} [difference] of two values
 * @property {number} truth
 * @property {(value: number) => string} tell
 */
/** @typedef {PointTask | ChooseTask | SlideTask} Task */
/** @typedef {Patch | number} Chosen */

/**
 * Buttons, of which one is the answer.
 *
 * @param {ChooseTask} task
 * @param {(value: number) => void} onchoose
 */
export const chooser = ({ options }, onchoose) =>
  el(
    "div",
    { class: "inside-options-of", role: "group", "aria-label": "Your answer" },
    ...options.map(({ value, label, picture }) =>
      el(
        "button",
        {
          type: "button",
          class: "inside-button",
          "data-answer": value,
          onclick: () => onchoose(value),
        },
        picture ?? null,
        label,
      ),
    ),
  );

/**
 * A slider, and a button that settles it.
 *
 * @param {SlideTask} task
 * @param {(value: number) => void} onchoose
 */
export function slide({ label, low, high, step, format }, onchoose) {
  let value = low + step * Math.round((high - low) / 2 / step);
  const control = slider(label, {
    min: low,
    max: high,
    step,
    value,
    format,
    oninput: (next) => (value = next),
  });
  const settle = button("That is my answer", () => onchoose(value));
  return el("div", { class: "inside-slide" }, control.node, settle);
}

/**
 * A picture over the one that shows the answer: plain, and cut into the same patches.
 *
 * @param {PointTask} task
 * @param {(patch: Patch) => void} onchoose
 */
export function pointing({ url, grid, size }, onchoose) {
  /** @type {Patch | null} */
  let at = null;
  const picture = new PatchPicture({
    label: "Point at your answer. Arrows move the patch, Enter answers.",
    from: () => at ?? [null, null],
    onhover: (row, col) => picture.mark(row, col),
    onleave: () => picture.mark(at?.[0] ?? null, at?.[1] ?? null),
    onpin: (row, col) => {
      at = [row, col];
      picture.mark(row, col);
      if (clicked) onchoose(at);
    },
    onkey: (key) => {
      if (key !== "Enter" || !at) return false;
      onchoose(at);
      return true;
    },
  });
  let clicked = false; // an arrow pins as well, and is no answer
  picture.node.addEventListener("click", () => (clicked = true), { capture: true });
  picture.node.classList.add("inside-asking");
  picture.show(url, grid, size);
  picture.node.style.removeProperty("aspect-ratio"); // it lies on another one, and has its size
  return picture.node;
}

/** Frames of two patches: the one that was pointed at, and the one that it is. */
export function marks(
  /** @type {Patch} */ chosen,
  /** @type {PointTask} */ { grid: [h, w], truth },
) {
  const frame = (/** @type {Patch} */ [row, col], /** @type {string} */ kind) =>
    el("i", {
      class: kind,
      style:
        `left:${(100 * col) / w}%;top:${(100 * row) / h}%;` +
        `width:${100 / w}%;height:${100 / h}%`,
    });
  return el(
    "div",
    { class: "inside-answer-marks", "aria-hidden": "true" },
    frame(truth, "truth"),
    frame(chosen, "chosen"),
  );
}
