/* The lines of the source, as they lie in the files that ran; the one that is looked at is marked. */
import { el } from "../../ui/dom.js";
import { linesRun } from "./arithmetic.js";
import { visitAt } from "./state.js";

/** @typedef {import("./state.js").StepScene} StepScene */
/** @typedef {StepScene["facts"]["functions"][number]} Source */

const WORDS = new RegExp(
  [
    /(#.*$)/,
    /("(?:[^"\\]|\\.)*")/,
    /\b(def|return|for|in|if|else|not|is|and|or|with|None|True|False|lambda)\b/,
    /(@[\w.]+)/,
  ]
    .map(({ source }) => source)
    .join("|"),
  "g",
);
const KINDS = ["comment", "string", "word", "word"];

/**
 * A line of Python with its comments, strings and words told apart.
 *
 * @param {string} text
 * @returns {(Node | string)[]}
 */
function coloured(text) {
  /** @type {(Node | string)[]} */
  const parts = [];
  let done = 0;
  for (const found of text.matchAll(WORDS)) {
    const kind = KINDS[found.slice(1).findIndex((part) => part !== undefined)];
    parts.push(text.slice(done, found.index), el("span", { class: kind, text: found[0] }));
    done = found.index + found[0].length;
  }
  return [...parts, text.slice(done)];
}

/**
 * @param {object} listeners
 * @param {(index: number, line: number) => void} listeners.onpick a line that ran was clicked
 * @param {(event: KeyboardEvent) => void} listeners.onkey
 */
export function createCode({ onpick, onkey }) {
  const node = el("div", {
    class: "inside-listing",
    role: "group",
    tabindex: "0",
    "aria-label": "The lines of the step. Arrow keys go from line to line, Space plays",
    onkeydown: onkey,
  });
  /** @type {Map<string, HTMLElement>} function and line -> its row */
  let rows = new Map();
  /** @type {HTMLElement[]} */
  let marked = [];

  /**
   * @param {Source} source
   * @param {number} index
   * @param {ReadonlySet<number>} run
   */
  function section(source, index, run) {
    const [from, to] = source.docstring ?? [0, -1];
    const lines = source.lines.flatMap((text, i) => {
      const number = source.first + i;
      if (number > from && number <= to) return []; // the rest of a docstring
      const shown = number === from && to > from ? `${text} …` : text;
      const row = el(
        "div",
        {
          class: `line${run.has(number) ? " run" : ""}${number === from ? " doc" : ""}`,
          onclick: () => run.has(number) && onpick(index, number),
        },
        el("i", { text: number }),
        el("code", {}, ...(number === from ? [shown] : coloured(shown))),
      );
      rows.set(`${index} ${number}`, row);
      return [row];
    });
    return el(
      "section",
      {},
      el("h3", {}, el("b", { text: source.name }), ` ${source.file}`),
      ...lines,
    );
  }

  return {
    node,

    /** @param {StepScene} scene */
    build({ facts }) {
      rows = new Map();
      marked = [];
      const run = linesRun(facts.visits);
      node.replaceChildren(
        ...facts.functions.flatMap((source, index) => {
          const lines = run.get(index);
          return lines ? [section(source, index, lines)] : [];
        }),
      );
    },

    /** @param {StepScene} scene @param {number} at */
    draw(scene, at) {
      const visit = visitAt(scene, at);
      for (const row of marked) {
        row.classList.remove("here", "calls");
        row.removeAttribute("aria-current");
      }
      marked = [];
      for (const [index, line] of visit.callers) mark(rows.get(`${index} ${line}`), "calls");
      for (let line = visit.first; line <= visit.last; line++)
        mark(rows.get(`${visit.function} ${line}`), "here");
      const first = rows.get(`${visit.function} ${visit.first}`);
      first?.setAttribute("aria-current", "step");
      if (first) reveal(first);
    },
  };

  /** @param {HTMLElement | undefined} row @param {string} name */
  function mark(row, name) {
    if (!row) return;
    row.classList.add(name);
    marked.push(row);
  }

  /** Scrolls the listing, and never the page. @param {HTMLElement} row */
  function reveal(row) {
    const top = row.offsetTop,
      margin = node.clientHeight / 4;
    if (top < node.scrollTop + margin || top > node.scrollTop + node.clientHeight - margin)
      node.scrollTop = Math.max(0, top - node.clientHeight / 3);
  }
}
