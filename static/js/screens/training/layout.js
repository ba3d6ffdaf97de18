/* Where the parts of the screen stand, and what is said where no run is open or something failed. */
import { el } from "../../ui/dom.js";

const NONE_OPEN =
  "No run is open. Start one: it goes on when this page is closed, and is found again here.";

/**
 * @param {object} parts
 * @param {HTMLElement[]} parts.beginning what a run is started from and chosen from
 * @param {HTMLElement[]} parts.opened what is shown of the open run beside that
 * @param {HTMLElement[]} parts.below what is shown of it across the page
 */
export function createLayout(parts) {
  const empty = el("p", { class: "inside-note" }),
    problem = el("p", { class: "inside-problem", role: "alert", hidden: true });
  const opened = el("div", { class: "inside-left inside-open", hidden: true }, ...parts.opened),
    below = el("div", { class: "inside-below", hidden: true }, ...parts.below);
  const columns = el(
    "div",
    { class: "inside-columns training" },
    el("div", { class: "inside-left" }, ...parts.beginning),
    el("div", { class: "inside-left" }, empty, problem, opened),
  );
  return {
    columns,
    below,
    /** @param {import("./state.js").State} state */
    draw({ run, problem: message }) {
      opened.hidden = below.hidden = !run;
      empty.hidden = run !== null;
      empty.textContent = message || NONE_OPEN;
      problem.hidden = !message || !run;
      problem.textContent = message;
    },
  };
}
