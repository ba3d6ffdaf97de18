/* The glossary: terms are marked in the lessons where they come first, and a touch, the pointer or the
   keyboard shows what one means, with the visitor's own number. */
import { requestJson } from "../page/scenes.js";
import { settings } from "../settings.js";
import { el } from "../ui/dom.js";
import { guideLayer, openWindow } from "./layer.js";
import { bring, fill, follow, numberNow } from "./numbers.js";
import { cutAt, matcherOf, termOfTex, termsFor } from "./terms.js";
import { formula, numbersIn, paragraph } from "./words.js";

/** @typedef {import("./terms.js").Term} Term */

/** @type {Promise<Term[]> | null} */
let asked = null;

/** @returns {Promise<Term[]>} */
export function glossary() {
  asked ??= /** @type {Promise<Term[]>} */ (requestJson("guide/glossary.json"));
  asked.catch(() => (asked = null));
  return asked;
}

/** What a term means. @param {Term} term */
function explanation({ name, sentence, formula: text, number, source }) {
  return [
    el("b", { text: name }),
    paragraph(sentence),
    ...(text ? [formula(text)] : []),
    ...(number ? [paragraph(number, "own")] : []),
    el("small", { text: source }),
  ];
}

// ---------- the card of one term

const card = el("div", { id: "inside-card", class: "inside-card", role: "tooltip", hidden: true });
let end = () => {};

/** @param {HTMLElement} mark @param {Term} term */
async function show(mark, term) {
  card.replaceChildren(...explanation(term));
  card.hidden = false;
  (await guideLayer()).append(card);
  mark.setAttribute("aria-describedby", card.id);
  end();
  end = follow(card);
  await bring(card);
  // A screen that was not opened yet, or not for this picture, may have no such number.
  if (numbersIn(term.number).some((name) => numberNow(name) === null))
    card.querySelector(".own")?.remove();
  placeBeside(mark);
}

/** Below the term, or above where there is no room. @param {HTMLElement} mark */
function placeBeside(mark) {
  const at = mark.getBoundingClientRect(),
    size = card.getBoundingClientRect(),
    gap = 8;
  const left = Math.min(Math.max(at.left, gap), innerWidth - size.width - gap);
  const below = at.bottom + gap + size.height < innerHeight;
  card.style.left = `${left}px`;
  card.style.top = `${below ? at.bottom + gap : Math.max(gap, at.top - gap - size.height)}px`;
}

/** @param {HTMLElement} mark */
function hide(mark) {
  mark.removeAttribute("aria-describedby");
  card.hidden = true;
  end();
}

/** @param {Term} term @param {...Node} words */
function markOf(term, ...words) {
  /** @type {HTMLButtonElement} */
  const mark = el(
    "button",
    {
      type: "button",
      class: "inside-term",
      "data-term": term.name,
      onpointerenter: () => void present(),
      onfocus: () => void present(),
      onclick: () => void present(), // a touch
      onpointerleave: () => hide(mark),
      onblur: () => hide(mark),
      onkeydown: (event) => {
        if (event.key !== "Escape" || card.hidden) return;
        hide(mark);
        event.stopPropagation(); // what the term stands in stays open
      },
    },
    ...words,
  );
  const present = async () => {
    const shown = show(mark, term);
    placeBeside(mark);
    await shown;
  };
  return mark;
}

// ---------- in the lessons

const APART =
  "small, .katex, code, a, button, label, h2, header, footer, [class*='live-'], .inside-live";

/** Whether a node is of the text itself, and not of a part that is about one view. @param {Element} root */
const isOwnOf = (root) => (/** @type {Element | null | undefined} */ node) => {
  const part = node?.closest("[data-of]");
  return !part || part === root || !root.contains(part);
};

/** The texts below a node that may hold a term. @param {Element} root @returns {Text[]} */
function textsIn(root) {
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT),
    isOwn = isOwnOf(root),
    texts = [];
  while (walker.nextNode()) {
    const { currentNode: text } = walker,
      around = text.parentElement;
    if (text instanceof Text && isOwn(around) && !around?.closest(APART)) texts.push(text);
  }
  return texts;
}

/** The marks of a text itself. @param {Element} root */
const marksIn = (root) => [...root.querySelectorAll("[data-term]")].filter(isOwnOf(root));

/**
 * Marks each term where it comes first below a node, its parts that are about one view left out.
 *
 * @param {HTMLElement} root
 * @param {readonly Term[]} terms
 * @param {readonly Element[]} before marks that have been read by then
 */
export function markTerms(root, terms, before = []) {
  const match = matcherOf(terms),
    isOwn = isOwnOf(root),
    marks = [...before, ...marksIn(root)],
    seen = new Set(marks.map((mark) => mark.getAttribute("data-term") ?? ""));
  for (const text of textsIn(root)) {
    const pieces = cutAt(text.data, match(text.data), seen);
    if (pieces.some((piece) => typeof piece !== "string"))
      text.replaceWith(
        ...pieces.map((piece) =>
          typeof piece === "string"
            ? piece
            : markOf(piece.term, document.createTextNode(piece.word)),
        ),
      );
  }
  for (const formulaNode of root.querySelectorAll(".katex")) {
    const tex = formulaNode.querySelector("annotation")?.textContent ?? "",
      term = termOfTex(terms, tex);
    if (!term || seen.has(term.name) || !isOwn(formulaNode) || formulaNode.closest("small"))
      continue;
    seen.add(term.name);
    const place = document.createComment("");
    formulaNode.replaceWith(place);
    const mark = markOf(term, formulaNode);
    mark.setAttribute("aria-label", term.name); // a formula says nothing by itself
    place.replaceWith(mark);
  }
}

/**
 * Marks the terms of a lesson, so that each is marked once in every view.
 *
 * @param {HTMLElement} lesson
 * @param {readonly Term[]} terms
 */
function markParts(lesson, terms) {
  markTerms(lesson, terms);
  /** @type {HTMLElement[]} */
  const parts = [...lesson.querySelectorAll("[data-of]")].filter(
    (one) => one instanceof HTMLElement,
  );
  const viewsOf = (/** @type {HTMLElement} */ part) => part.dataset.of?.split(" ") ?? [];
  parts.forEach((part, i) => {
    const read = parts
      .slice(0, i)
      .filter((one) => viewsOf(part).every((view) => viewsOf(one).includes(view)));
    markTerms(part, terms, [lesson, ...read].flatMap(marksIn));
  });
}

/** Marks the terms of a text that is about a screen. @param {HTMLElement} root @param {string} screen */
export async function markTermsOf(root, screen) {
  markTerms(root, termsFor(await glossary(), screen));
}

/** Marks the terms of all lessons, whenever Gradio writes one. */
export async function watchTerms() {
  const terms = await glossary();
  for (const [screen] of settings.screens) {
    const lesson = document.getElementById(`lesson-${screen}`);
    if (!lesson) continue;
    const here = termsFor(terms, screen),
      mark = () => markParts(lesson, here);
    new MutationObserver(mark).observe(lesson, { childList: true, subtree: true });
    mark();
  }
}

/** All terms, in a window. */
export async function openGlossary() {
  const terms = [...(await glossary())].sort((a, b) => a.name.localeCompare(b.name));
  const list = el(
    "dl",
    { class: "inside-glossary" },
    ...terms.map((term) => {
      const [name, ...rest] = explanation(term);
      return el("div", {}, el("dt", {}, name), el("dd", {}, ...rest));
    }),
  );
  const dialog = await openWindow("Glossary", "inside-words", list);
  fill(dialog);
  for (const own of dialog.querySelectorAll(".own"))
    if (own.querySelector("[data-number]")?.textContent === "…") own.remove(); // no such number yet
}
