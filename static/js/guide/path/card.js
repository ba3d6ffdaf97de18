/* The card of a stop: which one it is, what it says and asks, and the ways back, on and out. */
import { button } from "../../ui/controls.js";
import { el } from "../../ui/dom.js";
import { paragraph } from "../words.js";

/** @typedef {import("./stops.js").Stop} Stop */

/**
 * @param {object} ways
 * @param {(by: number) => void} ways.move
 * @param {(name: string) => void} ways.goTo
 * @param {() => void} ways.leave
 * @param {() => void} ways.look at the part: moves the focus there
 */
export function createCard({ move, goTo, leave, look }) {
  /** @type {HTMLSelectElement} */
  const list = el("select", {
    "aria-label": "Stops of the path",
    onchange: () => goTo(list.value),
  });
  const [bar, title] = [el("i"), el("h2", { tabindex: "-1" })];
  const count = el("span", { class: "count" }),
    words = el("div", { class: "words" }),
    ask = el("div", { class: "asks" }),
    result = el("div", { class: "result", role: "status" }),
    back = button("Back", () => move(-1)),
    next = button("Next", () => move(1));
  next.classList.add("next");
  const node = el(
    "section",
    {
      id: "inside-path",
      class: "inside-path",
      "aria-label": "The path",
      onkeydown: (event) => {
        if (event.key === "Escape") leave();
      },
    },
    el(
      "header",
      {},
      list,
      count,
      el("button", { type: "button", class: "leave", text: "Leave", onclick: leave }),
    ),
    el("div", { class: "bar", "aria-hidden": "true" }, bar),
    title,
    words,
    ask,
    result,
    el("footer", {}, back, button("To the figure", look), next),
  );

  return {
    node,
    title,

    /** @param {readonly Stop[]} stops */
    offer(stops) {
      list.replaceChildren(
        ...stops.map((stop, i) =>
          el("option", { value: stop.name, text: `${i + 1}. ${stop.title}` }),
        ),
      );
    },

    /** @param {readonly Stop[]} stops @param {number} at */
    show(stops, at) {
      const stop = stops[at];
      list.value = stop.name;
      count.textContent = `${at + 1} of ${stops.length}`;
      bar.style.width = `${(100 * (at + 1)) / stops.length}%`;
      title.textContent = stop.title;
      words.replaceChildren(...stop.before.map((text) => paragraph(text)));
      ask.replaceChildren();
      result.replaceChildren();
      back.disabled = at === 0;
      next.textContent = at === stops.length - 1 ? "Finish" : "Next";
    },

    /** The question, and how it is answered. @param {Stop} stop @param {HTMLElement | null} control */
    asks(stop, control) {
      const how = control ? "What shows it is covered until you answer." : "Point at the picture.";
      ask.replaceChildren(
        paragraph(stop.question, "question"),
        ...(control ? [control] : []),
        ...(control && !stop.covers ? [] : [el("p", { class: "how", text: how })]),
      );
    },

    /** What was answered, and what it is. @param {Stop} stop @param {string} sentence */
    tells(stop, sentence) {
      ask.replaceChildren(paragraph(stop.question, "question"));
      result.replaceChildren(
        el("p", { class: "answer", text: sentence }),
        ...stop.after.map((text) => paragraph(text)),
      );
    },

    /** Nothing is asked here, or it cannot be. @param {Stop} stop */
    saysAll(stop) {
      ask.replaceChildren();
      words.replaceChildren(...[...stop.before, ...stop.after].map((text) => paragraph(text)));
    },
  };
}
