/* Going to a stop: its screen is opened and set, and its part is waited for. */
import { revealLesson } from "../../page/lesson.js";
import { currentView, openScreen } from "../../page/screens.js";
import { QUESTIONS } from "../questions/index.js";
import { pressFor, selectFor } from "./setting.js";
import { appears, readyScreen, visiblePart } from "./waiting.js";

/** @typedef {import("./stops.js").Stop} Stop */

/**
 * The part that a stop is about, once it is there; null when it does not come, or somebody has gone on.
 *
 * @param {Stop} stop
 * @param {AbortSignal} signal
 */
export async function arrive(stop, signal) {
  openScreen(stop.screen);
  const root = await appears(() => currentView() && readyScreen(stop.screen), signal),
    view = currentView();
  if (!root || !view || signal.aborted) return null;
  selectFor(stop, view);
  pressFor(root, stop);
  if (stop.part.startsWith("#lesson-")) revealLesson(stop.screen);
  const column = document.getElementById(`screen-${stop.screen}`) ?? root;
  return appears(() => readyScreen(stop.screen) && visiblePart(column, stop.part), signal);
}

const TRIES = 3;
const PAUSE = 1000; // ms between them

/**
 * The question of a stop, worked out for the picture that is open; null where there is none, or where
 * it cannot be had: the screen says itself what is wrong.
 *
 * @param {Stop} stop
 * @param {AbortSignal} signal
 */
export async function taskOf(stop, signal) {
  for (let tried = 0; tried < TRIES && !signal.aborted; tried++) {
    const view = currentView();
    if (!view || !(stop.asks in QUESTIONS)) return null;
    try {
      return await QUESTIONS[stop.asks](view);
    } catch (error) {
      console.warn(`The question ${stop.asks} cannot be asked.`, error);
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
    }
  }
  return null;
}
