/* The head of a lesson, which folds it: in a wide window the lessons of all screens, to a narrow edge
   that stays so; in a narrow one, where they begin folded, the one that is looked at. */
import { el } from "../ui/dom.js";
import { writeMemory } from "./memory.js";
import { openScreen } from "./screens.js";
import { parseLink } from "./link.js";

const WIDE = "(min-width: 1200px)"; // as in lesson.css

const page = () => document.documentElement.dataset;
const isWide = () => matchMedia(WIDE).matches;

/** @param {HTMLElement} lesson */
const isUnfolded = (lesson) =>
  isWide() ? page().lessons !== "folded" : lesson.classList.contains("unfolded");

/** @type {Set<() => void>} */
const heads = new Set();
const drawAll = () => heads.forEach((draw) => draw());

/** @param {HTMLElement} lesson @param {boolean} unfolded */
function fold(lesson, unfolded) {
  if (isWide()) {
    page().lessons = unfolded ? "open" : "folded";
    writeMemory("lessons", page().lessons ?? "");
  } else lesson.classList.toggle("unfolded", unfolded);
  drawAll();
}

/** As this browser had them, which the document knows already. */
export function watchWidth() {
  matchMedia(WIDE).addEventListener("change", drawAll);
}

/** Somebody is led to a lesson. @param {HTMLElement | null} lesson */
export function unfoldLesson(lesson) {
  if (lesson && !isUnfolded(lesson)) fold(lesson, true);
}

/**
 * Gives a lesson its head, and leads its links to the screens that they name.
 *
 * @param {HTMLElement} lesson
 * @param {string} screen the title of its screen
 */
export function addHead(lesson, screen) {
  const head = el("button", {
    type: "button",
    class: "inside-lesson-head",
    "aria-controls": lesson.id,
    onclick: () => fold(lesson, !isUnfolded(lesson)),
  });
  lesson.setAttribute("role", "region");
  lesson.setAttribute("aria-label", `Lesson: ${screen}`);
  lesson.prepend(head);
  const draw = () => {
    const open = isUnfolded(lesson);
    head.setAttribute("aria-expanded", String(open));
    head.textContent = isWide() ? "Lesson" : `Lesson: ${screen}`;
    lesson.tabIndex = isWide() && open ? 0 : -1; // what scrolls can be reached by keys
  };
  heads.add(draw);
  draw();
  lesson.addEventListener("click", (event) => {
    const link = event.target instanceof Element ? event.target.closest("a[href^='#']") : null;
    const name = link && parseLink(link.getAttribute("href") ?? "").state.screen;
    if (!name) return;
    event.preventDefault();
    openScreen(name);
  });
}
