/* The open run: its name and state, how far it has come, what it is judged to do. */
import { el } from "../../ui/dom.js";
import { short } from "../../ui/format.js";
import { duration } from "./format.js";

/** @typedef {import("./state.js").Opened} Opened */

export function createProgress() {
  const title = el("h2"),
    badge = el("span", { class: "inside-state" }),
    words = el("p", { class: "inside-details", "aria-live": "polite" }),
    note = el("p", { class: "inside-note" }),
    bar = el("progress", { max: 1, value: 0, "aria-label": "Progress" }),
    numbers = el("p", { class: "inside-note inside-progress" }),
    verdict = el("p", { class: "inside-verdict" }),
    mended = el("ul", { class: "inside-mended" });
  return {
    top: el(
      "div",
      { class: "inside-stack" },
      el("div", { class: "inside-run-title" }, title, badge),
      words,
      note,
      el("div", { class: "inside-run-progress" }, bar, numbers),
    ),
    verdict,
    mended,

    /** Something was asked of the run that takes until the step it is in has ended. @param {string} action */
    asked(action) {
      words.textContent = `Asked to ${action}: after the step it is in.`;
    },

    /** @param {Opened} state */
    draw({ run, lines }) {
      title.textContent = run.title;
      badge.className = `inside-state ${run.state}`;
      badge.textContent = run.state;
      words.textContent = run.words;
      note.textContent = [run.notes.pictures, run.notes.note].filter(Boolean).join(" · ");
      note.hidden = !note.textContent;
      bar.value = run.steps ? run.step / run.steps : 0;
      numbers.textContent = progressSentence({ run, lines });
      verdict.hidden = !run.verdict || run.words.includes(run.verdict.words); // a finished run says it itself
      verdict.textContent = run.verdict?.words ?? "";
      verdict.dataset.kind = run.verdict?.kind ?? "";
      mended.replaceChildren(...run.history.map((text) => el("li", { text })));
    },
  };
}

/**
 * How far, how fast, how long still.
 *
 * @param {Pick<Opened, "run" | "lines">} state
 */
function progressSentence({ run, lines }) {
  const unit = run.kind === "fine-tuning" ? "Epoch" : "Step";
  const parts = [`${unit} ${run.step}${run.steps ? ` of ${run.steps}` : ""}`];
  const newest = lines.findLast(({ seconds }) => seconds);
  if (newest?.steps_per_second)
    parts.push(
      `${short(newest.steps_per_second)} steps a second`,
      `${short(newest.pictures_per_second)} pictures a second`,
    );
  if (run.alive && run.seconds_left) parts.push(`${duration(run.seconds_left)} left`);
  return parts.join(" · ");
}
