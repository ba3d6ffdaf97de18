/* Which layer of the weights that a fine-tuning began with does best on its test pictures: beside the
   verdict, and one click away the chart of all of them. */
import { linkCharts } from "../../charts/cursor.js";
import { chartPlace } from "../../charts/plot.js";
import { createProbeCharts } from "../../charts/probe-charts.js";
import { onTheme } from "../../charts/theme.js";
import { fetchScene } from "../../page/scenes.js";
import { button, choice } from "../../ui/controls.js";
import { el } from "../../ui/dom.js";
import {
  bestOf,
  CLASSIFIERS,
  judgedSentence,
  probeName,
  scoreText,
} from "../../ui/probe-scores.js";

/** @typedef {import("../../ui/probe-scores.js").Probe} Probe */
/** @typedef {import("../../ui/probe-scores.js").Score} Score */
/** @typedef {import("../../ui/probe-scores.js").Classifier} Classifier */

/** @param {(work: () => unknown) => unknown} run */
export function createLayers(run) {
  const words = el("span"),
    verdict = el("p", { class: "inside-best", hidden: true }, words, button("Go there", goThere)),
    note = el("p", { class: "inside-note" }),
    place = chartPlace("inside-probe-chart"),
    charts = createProbeCharts(place);
  const classifiers = choice(
    "Classifier",
    /** @type {[Classifier, string][]} */ (Object.entries(CLASSIFIERS)),
    "knn",
    (classifier) => look({ classifier }),
  );
  const chart = el(
    "section",
    { class: "inside-stack", hidden: true, "aria-label": "Probes by layer" },
    el("h2", { text: "Where the knowledge appears" }),
    el("div", { class: "inside-controls" }, classifiers.node),
    place,
    note,
  );
  linkCharts([place]);
  /** @type {{ name: string, probe: Probe, best: Score } | null} */
  let shown = null;
  /** @type {{ classifier: Classifier, layer: number }} */
  const at = { classifier: "knn", layer: 0 };
  /** Name of the run whose layers are asked for. */
  let asked = "";

  /** @param {Partial<typeof at>} change */
  function look(change) {
    Object.assign(at, change);
    if (!shown) return;
    const { name, probe } = shown;
    classifiers.set(at.classifier);
    const url = (/** @type {string} */ form) => `runs/${name}/layers?form=${form}`;
    void charts.draw({ probe, url, ...at });
  }

  function goThere() {
    if (!shown) return;
    const { classifier, layer } = shown.best;
    look({ classifier, layer });
    chart.scrollIntoView({ block: "nearest" });
    place.focus({ preventScroll: true });
  }

  /** @param {string} name */
  async function load(name) {
    /** @type {Probe} */
    const probe = await fetchScene(`runs/${name}/layers`),
      best = bestOf(probe);
    if (name !== asked || !best) return; // another run was opened
    shown = { name, probe, best };
    words.textContent =
      `Of the weights it began with, best at layer ${best.layer}: ` +
      `${probeName(best)}, ${scoreText(best)}.`;
    note.textContent = judgedSentence(probe);
    verdict.hidden = chart.hidden = false;
    look({ classifier: best.classifier, layer: best.layer });
  }

  onTheme(() => look({}));
  return {
    verdict,
    chart,
    /** @param {string} name of the run @param {boolean} judged whether its layers were */
    draw(name, judged) {
      asked = judged ? name : "";
      if (shown?.name === asked) return;
      shown = null;
      verdict.hidden = chart.hidden = true;
      if (judged) run(() => load(name));
    },
    get best() {
      return shown && { ...shown.best };
    },
  };
}
