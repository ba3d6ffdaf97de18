/* The runs on this server. */
import { selection } from "../../page/selection.js";
import { el } from "../../ui/dom.js";
import { dateAndTime } from "./format.js";

/** @typedef {import("./state.js").RunCard} RunCard */

const SHOWN = 40; // the newest

/** @param {(name: string) => void} onopen */
export function createList(onopen) {
  const list = el("div", { class: "inside-runs" });
  let drawn = "";

  /** @param {RunCard} run */
  const entry = (run) =>
    el(
      "button",
      {
        type: "button",
        "data-run": run.name,
        "aria-pressed": String(run.name === selection.run),
        onclick: () => onopen(run.name),
      },
      el("b", { text: run.title }),
      el("i", {
        class: `inside-state ${run.state}`,
        text: run.place ? `waits, number ${run.place}` : run.state,
      }),
      el("span", {
        text: `${run.mine ? "yours" : "another visitor's"}, ${dateAndTime(run.asked ?? run.updated)}`,
      }),
      el("span", { text: run.steps ? `${run.step} of ${run.steps}` : "" }),
    );

  return {
    node: el("section", {}, el("h2", { text: "Runs on this server" }), list),

    /** @param {readonly RunCard[]} runs */
    draw(runs) {
      const text = JSON.stringify([selection.run, runs.map(whatIsShown)]);
      if (text === drawn) return;
      drawn = text;
      const focused =
        document.activeElement instanceof HTMLElement ? document.activeElement.dataset.run : null;
      const entries = runs.slice(0, SHOWN).map(entry);
      if (entries.length) list.replaceChildren(...entries);
      else list.replaceChildren(el("p", { class: "inside-note", text: "None yet." }));
      if (focused) entries.find(({ dataset }) => dataset.run === focused)?.focus();
    },
  };
}

/** @param {RunCard} run */
const whatIsShown = ({ name, title, state, place, step, steps, mine }) => [
  name,
  title,
  state,
  place,
  step,
  steps,
  mine,
];
