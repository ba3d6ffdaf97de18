/* The visitor's own numbers in the lessons: <span class="live-NAME"> is filled with what the screen
   of that lesson has computed last.

   Gradio writes a lesson when its screen has been made, and says nothing about it, so the places are
   watched: setting the equations of all screens at once would keep the browser from the one that is
   open. */
import { settings } from "../settings.js";
import { bus } from "./bus.js";
import { addHead, watchWidth, unfoldLesson } from "./lesson-head.js";

/** @typedef {Record<string, string | number>} LessonNumbers name -> what stands in its place */

/** @type {Map<string, LessonNumbers>} screen -> its numbers */
const numbers = new Map();

const lessonOf = (/** @type {string} */ screen) => document.getElementById(`lesson-${screen}`);

/** @type {Map<string, string>} screen -> which of its views is open */
const views = new Map();

/**
 * A lesson speaks of the view that is open: its parts with `data-of` are those of the views named there.
 *
 * @param {string} screen
 * @param {string} view
 */
export function speakOf(screen, view) {
  if (views.get(screen) === view) return;
  views.set(screen, view);
  write(screen);
}

/** @param {string} screen */
function showParts(screen) {
  const view = views.get(screen);
  if (!view) return; // it speaks of all
  for (const part of lessonOf(screen)?.querySelectorAll("[data-of]") ?? [])
    part.toggleAttribute("hidden", !part.getAttribute("data-of")?.split(" ").includes(view));
}

/** @param {string} screen */
function write(screen) {
  const values = numbers.get(screen) ?? {};
  showParts(screen);
  for (const node of lessonOf(screen)?.querySelectorAll('[class*="live-"]') ?? []) {
    const name = [...node.classList].find((one) => one.startsWith("live-"))?.slice("live-".length);
    if (!name || !(name in values)) continue;
    const text = String(values[name]);
    if (node.textContent !== text) node.textContent = text;
  }
}

/**
 * Fills in numbers; those of earlier calls stay.
 *
 * @param {string} screen
 * @param {LessonNumbers} values
 */
export function fillLesson(screen, values) {
  numbers.set(screen, { ...numbers.get(screen), ...values });
  write(screen);
  bus.emit("numbers", { screen });
}

/** What a screen has computed last, by the names that its lesson uses. @param {string} screen */
export const numbersOf = (screen) => /** @type {LessonNumbers} */ (numbers.get(screen) ?? {});

/** Shows a lesson once its formulas have their letters: until then it moves. @param {HTMLElement} lesson */
async function settle(lesson) {
  if (!lesson.querySelector("p") || lesson.classList.contains("settled")) return;
  await document.fonts.ready;
  lesson.classList.add("settled");
}

/** The places of the lessons are there: whatever is written into them gets its numbers. */
export function watchLessons() {
  watchWidth();
  for (const [screen, title] of settings.screens) {
    const lesson = lessonOf(screen);
    if (!lesson) continue;
    addHead(lesson, title);
    const written = () => {
      write(screen);
      void settle(lesson);
    };
    new MutationObserver(written).observe(lesson, { childList: true, subtree: true });
    written();
  }
}

/** @type {Map<string, () => void>} screen -> asks Gradio for its lesson, which is not written yet */
const unwritten = new Map();
/** @type {Set<string>} */
const made = new Set();
let begun = false;

/** @param {string} screen */
function writeLesson(screen) {
  if (!begun || !made.has(screen)) return;
  unwritten.get(screen)?.();
  unwritten.delete(screen);
}

/**
 * A component of Gradio's says how the lesson of its screen comes to be written.
 *
 * @param {string} screen
 * @param {() => void} ask has Gradio write it
 */
export function writesLesson(screen, ask) {
  unwritten.set(screen, ask);
  writeLesson(screen);
}

bus.on("made", (screen) => {
  made.add(screen);
  writeLesson(screen);
});

/** There is time for the lessons of the screens that have been made, and of whatever is made. */
export function beginLessons() {
  begun = true;
  made.forEach(writeLesson);
}

/** Somebody is led to the lesson of a screen. @param {string} screen */
export const revealLesson = (screen) => unfoldLesson(lessonOf(screen));
