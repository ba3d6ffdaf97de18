/* Whose the gradients of the open run are: a chart for each loss, drawn anew by the server whenever
   it was looked at again. */
import { chartPlace, plot } from "../../charts/plot.js";
import { chartForm, onTheme } from "../../charts/theme.js";
import { requestJson } from "../../page/scenes.js";
import { el } from "../../ui/dom.js";

/** @typedef {import("./state.js").Opened} Opened */
/** @typedef {import("../../types/plotly").Charts} Charts */

const WORDS =
  "How much of each layer's gradients is each loss's, from the patches below to the heads above: " +
  "all losses of a layer add up to 100 %, and below 0 one pulls against the others.";

/** @param {(work: () => unknown) => unknown} run */
export function createGradientShares(run) {
  const plots = el("div", { class: "inside-plots" });
  const node = el(
    "section",
    { class: "inside-stack inside-gradients", hidden: true },
    el("h2", { text: "Whose gradients" }),
    el("p", { class: "inside-note", text: WORDS }),
    plots,
  );
  /** @type {Map<string, HTMLElement>} */
  const places = new Map();
  /** Of which run, up to which step, in which colours. */
  let shown = { name: "", step: -1, form: "" },
    wanted = shown;
  let loading = false;

  /** Until what is shown is what is wanted; another run may be opened meanwhile. */
  async function load() {
    if (loading) return;
    loading = true;
    try {
      while (!isSame(shown, wanted)) {
        const now = wanted;
        const charts = await fetchShares(now.name, now.form);
        if (now.name === wanted.name) await show(charts);
        shown = now;
      }
    } finally {
      loading = false;
    }
  }

  /** @param {Charts} charts */
  async function show(charts) {
    for (const name of Object.keys(charts).filter((one) => !places.has(one))) {
      const place = chartPlace();
      place.dataset.chart = name;
      places.set(name, place);
    }
    const names = Object.keys(charts);
    const now = names.flatMap((name) => places.get(name) ?? []);
    if (now.some((place, i) => plots.children[i] !== place) || plots.children.length > now.length)
      plots.replaceChildren(...now);
    node.hidden = names.length === 0;
    await Promise.all(names.map((name, i) => plot(now[i], charts[name])));
  }

  /** @param {Opened} state */
  function draw({ run: { name }, lines }) {
    const step = lines.findLast((line) => line.gradient_shares)?.step ?? -1;
    if (name !== wanted.name) node.hidden = true;
    if (step < 0) {
      shown = wanted = { name, step, form: "" };
      return;
    }
    wanted = { name, step, form: chartForm() };
    if (!isSame(shown, wanted)) run(load);
  }

  onTheme(() => {
    if (wanted.step < 0) return;
    wanted = { ...wanted, form: chartForm() };
    run(load);
  });

  return { node, draw };
}

/** @typedef {{ name: string, step: number, form: string }} Shown */
/** @param {Shown} one @param {Shown} other */
const isSame = (one, other) =>
  one.name === other.name && one.step === other.step && one.form === other.form;

/** @param {string} name @param {string} form @returns {Promise<Charts>} */
const fetchShares = (name, form) => requestJson(`runs/${name}/shares?form=${form}`);
