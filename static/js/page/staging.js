/* The stage of the first visit. A newcomer need not wait for Gradio: the strip and the first screen
   are drawn on a stage that the document brings along, from stored numbers, and move to their places
   as soon as Gradio has made those. Who follows a link to another picture or screen has no stage. */
import { mount, moveTo, setView, showColumn } from "./screens.js";

/** @type {Map<string, HTMLElement | null>} name -> its place, null until Gradio has made it */
const staged = new Map();

/**
 * Draws the screens that are on the stage.
 *
 * @param {HTMLElement} stage
 * @param {import("../types/page").View} view what a newcomer sees
 */
export function hydrate(stage, view) {
  setView(view);
  for (const root of stage.querySelectorAll(".inside-view"))
    if (root instanceof HTMLElement && root.dataset.view) {
      staged.set(root.dataset.view, null);
      mount(root.dataset.view, root);
    }
}

/**
 * Gradio has made the place of a screen. True when the screen is on the stage: it moves as soon as
 * all who are there have a place.
 *
 * @param {string} name
 * @param {HTMLElement} place
 */
export function settle(name, place) {
  if (!staged.has(name)) return false;
  staged.set(name, place);
  if (![...staged.values()].includes(null)) leave();
  return true;
}

function leave() {
  const focused = document.activeElement;
  showColumn();
  for (const [name, place] of staged) if (place) moveTo(name, place);
  staged.clear();
  document.getElementById("inside-stage")?.remove();
  if (focused instanceof HTMLElement) focused.focus({ preventScroll: true });
}
