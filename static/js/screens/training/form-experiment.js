/* Experiments: parts of the method that a new run does without, each with what it should do. */
import { el } from "../../ui/dom.js";
import { experimentsSentence, withSwitch } from "./form-sentences.js";

/** @typedef {import("../../types/runs").Experiment} Experiment */

export function createExperiment() {
  /** @type {readonly Experiment[]} */
  let offered = [];
  /** @type {string[]} */
  let chosen = [];
  const summary = el("summary", { text: "Experiment" }),
    list = el("div", { class: "inside-switches", role: "group", "aria-label": "Experiment" });
  const node = el(
    "details",
    { class: "inside-more" },
    summary,
    el("p", {
      class: "inside-note",
      text: "Switch a part of the method off, or turn it too far, and watch what it was there for.",
    }),
    list,
  );

  /** @param {Experiment} one */
  function switchOf({ name, title, words }) {
    const input = el("input", {
      type: "checkbox",
      "data-experiment": name,
      "aria-describedby": `inside-experiment-${name}`,
      onchange: () => {
        chosen = withSwitch(chosen, name, input.checked, offered);
        draw();
      },
    });
    return el(
      "div",
      {},
      el("label", { class: "inside-tick" }, input, el("span", { text: title })),
      el("p", { class: "inside-note", id: `inside-experiment-${name}`, text: words }),
    );
  }

  function draw() {
    summary.textContent = experimentsSentence(chosen, offered);
    for (const input of list.querySelectorAll("input"))
      input.checked = chosen.includes(input.dataset.experiment ?? "");
  }

  return {
    node,
    /** @param {readonly Experiment[]} all */
    offer(all) {
      if (offered.length) return;
      offered = all;
      list.replaceChildren(...all.map(switchOf));
      draw();
    },
    filled: () => ({ experiment: chosen }),
  };
}
