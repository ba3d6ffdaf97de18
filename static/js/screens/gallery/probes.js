/* How much simple classifiers read off each layer: the server's chart, where a click opens a layer. */
import { linkCharts } from "../../charts/cursor.js";
import { chartPlace } from "../../charts/plot.js";
import { createProbeCharts } from "../../charts/probe-charts.js";
import { onTheme } from "../../charts/theme.js";
import { choice } from "../../ui/controls.js";
import { el } from "../../ui/dom.js";
import { CLASSIFIERS, judgedSentence } from "../../ui/probe-scores.js";
import { createVerdict } from "./verdict.js";
import { pairs } from "./state.js";

/** @typedef {import("./state.js").State} State */

/** @param {State} state @param {import("./actions.js").Actions} actions */
export function createProbes(state, actions) {
  const classifiers = choice("Classifier", pairs(CLASSIFIERS), state.classifier, actions.judge),
    place = chartPlace("inside-probe-chart"),
    verdict = createVerdict(state, actions),
    words = el("p", { class: "inside-note", "aria-live": "polite" });
  const node = el(
    "section",
    { class: "inside-left inside-gallery-probes", "aria-label": "Probes by layer" },
    el("h2", { text: "Where the knowledge appears" }),
    el("div", { class: "inside-controls" }, classifiers.node),
    place,
    verdict.node,
    words,
  );
  openOnClick(place, (layer) => actions.look({ layer }));
  const charts = createProbeCharts(place);
  function drawCharts() {
    const { shown, probe, classifier, layer } = state;
    if (!shown || !probe) return;
    const url = (/** @type {string} */ form) => shown.data.url("probe", { form });
    void charts.draw({ probe, url, classifier, layer });
  }
  onTheme(drawCharts);

  return {
    node,
    /** @param {Partial<State>} change */
    draw(change) {
      const { probe, probeNever, probeMessage } = state;
      classifiers.set(state.classifier);
      place.hidden = classifiers.node.hidden = probeNever;
      place.style.visibility = probe ? "" : "hidden";
      verdict.draw();
      words.textContent = probe ? judgedSentence(probe) : probeMessage;
      if (probe && ["probe", "classifier", "layer"].some((key) => key in change)) drawCharts();
    },
    /** What it shows, as tests read it. */
    get state() {
      const { probe, classifier } = state;
      return {
        complete: probe?.facts.complete ?? false,
        method: classifier,
        accuracy: probe && [...probe.accuracy],
        words: words.textContent,
      };
    },
  };
}

/**
 * A click, or Enter, opens the layer that is pointed at.
 *
 * @param {HTMLElement} place
 * @param {(layer: number) => void} open
 */
function openOnClick(place, open) {
  /** @type {number | null} */
  let pointed = null;
  linkCharts([place], (x) => {
    pointed = x;
  });
  const go = () => {
    if (pointed !== null) open(pointed);
  };
  place.addEventListener("click", go);
  place.addEventListener("keydown", (event) => {
    if (event.key === "Enter") go();
  });
}
