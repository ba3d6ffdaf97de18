/* How much simple classifiers read off each layer: the server's chart, where a click opens a layer. */
import { linkCharts } from "../../charts/cursor.js";
import { chartPlace, plot } from "../../charts/plot.js";
import { chartForm, onTheme } from "../../charts/theme.js";
import { sentenceOf } from "../../page/errors.js";
import { requestJson } from "../../page/scenes.js";
import { choice } from "../../ui/controls.js";
import { el } from "../../ui/dom.js";
import { createVerdict } from "./verdict.js";
import { CLASSIFIERS, pairs } from "./state.js";

/** @typedef {import("./state.js").State} State */
/** @typedef {import("../../types/plotly").Charts} Charts */

/** @param {State} state @param {import("./actions.js").Actions} actions */
export function createProbes(state, actions) {
  const classifiers = choice("Classifier", pairs(CLASSIFIERS), state.classifier, actions.judge),
    place = chartPlace("inside-gallery-probe"),
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
  const charts = createCharts(state, (all) => plot(place, atLayer(all[state.classifier], state)));
  onTheme(() => charts.draw());

  return {
    node,
    /** @param {Partial<State>} change */
    draw(change) {
      const { probe, probeNever, probeWords } = state;
      classifiers.set(state.classifier);
      place.hidden = classifiers.node.hidden = probeNever;
      place.style.visibility = probe ? "" : "hidden";
      verdict.draw();
      words.textContent = probe ? judgedSentence(probe) : probeWords;
      if (probe && ["probe", "classifier", "layer"].some((key) => key in change)) charts.draw();
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

/** @param {import("./data.js").Probe} probe */
function judgedSentence({ facts: { words, complete } }) {
  const end = /[.!]$/.test(words) ? "" : ".";
  return `${words}${end} Bars: 95 % intervals.${complete ? "" : " More layers are still being judged."}`;
}

/**
 * The charts of the probe that is shown, fetched once for each and in the colours of the page.
 *
 * @param {State} state
 * @param {(charts: Charts) => unknown} show
 */
function createCharts(state, show) {
  /** @type {{ key: unknown[], charts: Promise<Charts> } | null} */
  let known = null;
  return {
    async draw() {
      const { shown, probe } = state;
      if (!shown || !probe) return;
      const key = [probe, chartForm()];
      if (!known || known.key.some((one, i) => one !== key[i]))
        known = { key, charts: requestJson(shown.data.url("probe", { form: chartForm() })) };
      const mine = known;
      try {
        const charts = await mine.charts;
        if (known === mine && state.probe === probe) await show(charts);
      } catch (error) {
        if (known === mine) known = null; // asked for again with the next change
        console.warn(sentenceOf(error));
      }
    },
  };
}

/**
 * The chart with its cursor where the map is.
 *
 * @param {import("../../types/plotly").Chart} chart
 * @param {State} state
 */
const atLayer = ({ data, layout }, { layer }) => ({
  data,
  layout: {
    ...layout,
    shapes: (layout.shapes ?? []).map((line) => ({
      ...line,
      x0: layer,
      x1: layer,
      visible: true,
    })),
  },
});

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
