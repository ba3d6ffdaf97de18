/* Beside every verdict of a probe: whose weights they are, what is known of them, and what reads the
   labels best, one click away. */
import { button } from "../../ui/controls.js";
import { el } from "../../ui/dom.js";
import { percent } from "../../ui/format.js";
import { bestOf, probeName, scoreText, scoreOf } from "../../ui/probe-scores.js";

/** @typedef {import("./state.js").State} State */

/** What is known of the weights. @param {import("./data.js").Gallery["facts"]} facts */
const weightsSentence = ({ title, known }) => `Weights: ${title}.${known ? ` ${known}` : ""}`;

/**
 * @param {State} state
 * @param {import("./actions.js").Actions} actions
 */
export function createVerdict(state, actions) {
  const score = el("p", { class: "inside-verdict" }),
    weights = el("p", { class: "inside-note" }),
    words = el("span"),
    go = button("Go there", () => {
      const best = state.probe && bestOf(state.probe);
      if (best) actions.examine(best);
    });
  const node = el(
    "div",
    { class: "inside-gallery-verdict" },
    score,
    el("p", { class: "inside-best" }, words, go),
    weights,
  );
  return {
    node,
    draw() {
      const { shown, probe } = state,
        best = probe && bestOf(probe),
        here = probe && scoreOf(probe, state);
      node.hidden = !shown || !probe || !best;
      if (!shown || !probe || !best) return;
      weights.textContent = weightsSentence(shown.gallery.facts);
      score.textContent = `${probeName(state)}: ${here ? scoreText(here) : "still to be judged"}.`;
      const isBest = here?.accuracy === best.accuracy,
        so_far = probe.facts.complete ? "" : " so far";
      words.textContent = isBest
        ? `Nothing does better${so_far}; always naming the commonest class would be ` +
          `${percent(probe.facts.chance)}.`
        : `Best${so_far}: ${probeName(best)}, ${scoreText(best)}. `;
      go.hidden = isBest;
    },
  };
}
