/* What is shown while another picture, size or model is on its way: the one before. It is dimmed,
   `aria-busy`, and named as the one before, until the new one is drawn or the attempt is refused. */
import { bus } from "./bus.js";
import { showNotice } from "./notice.js";

/** @typedef {import("../types/page").View} View */

const LONGEST = 15 * 60 * 1000; // ms; a model may have to be downloaded first

let pending = 0; // attempts that Python has not answered
let answered = 0; // and those that it has
/** @type {ReturnType<typeof setTimeout> | undefined} */
let limit;

/** Whether Python is at work on another picture, size or model. */
export const isComputing = () => pending > 0;

/** @param {number} next */
function count(next) {
  clearTimeout(limit);
  pending = Math.max(0, next);
  if (pending) limit = setTimeout(() => count(0), LONGEST);
  bus.emit("computing", pending > 0);
}

/** Something of the rail was touched, and Python is asked. */
export const begins = () => count(pending + 1);

/** Python has answered, or refused, or could not be asked. */
export function ends() {
  answered += 1;
  count(pending - 1);
}

/**
 * What of the rail's model and size Python is to be asked for: `before`, where that is what the page
 * shows or was asked for last, and nothing is to be done.
 *
 * @param {View | null} view that is shown
 * @param {{ model: string, size: number }} chosen
 * @param {string} before
 */
export function wantedOf(view, { model, size }, before) {
  const isShown = !isComputing() && view?.model === model && view.size === Number(size);
  return isShown ? before : `${model} ${size} ${answered}`;
}

/**
 * A picture as the page names it.
 *
 * @param {Pick<View, "sample" | "model" | "model_title" | "size">} view
 */
export function nameOf({ sample, model, model_title: title, size }) {
  return `${sample || "your picture"} at ${size} px with ${title ?? model}`;
}

/**
 * Marks a screen as showing the one before, or no longer.
 *
 * @param {HTMLElement} root
 * @param {boolean} late
 */
export function markLate(root, late) {
  if (late) root.setAttribute("aria-busy", "true");
  else root.removeAttribute("aria-busy");
}

/**
 * Names what is still shown on the open screen; null when that is what was asked for.
 *
 * @param {View | null} view
 */
export function nameLate(view) {
  showNotice(view ? `Still shown: ${nameOf(view)}. What you asked for is on its way.` : "", {
    topic: "late",
  });
}
