/* The curves of the open run: drawn by the server once, and extended in place by what is measured
   since. */
import { linkCharts } from "../../charts/cursor.js";
import { chartPlace, extend, plot, whenDrawn } from "../../charts/plot.js";
import { sheetOf } from "../../charts/plot-tools.js";
import { chartForm, onTheme } from "../../charts/theme.js";
import { requestJson } from "../../page/scenes.js";
import { el } from "../../ui/dom.js";
import { hasPoints } from "./points.js";

/** @typedef {import("./state.js").Opened} Opened */
/** @typedef {import("../../types/plotly").Charts} Charts */
/** @typedef {{ place: HTMLElement, chart: import("../../types/plotly").Chart }} Drawn */

const COLUMNS = 2; // of the sheet

/** @param {(work: () => unknown) => unknown} run */
export function createCurves(run) {
  const node = el("div", { class: "inside-plots" });
  /** @type {Drawn[]} */
  let drawn = [];
  /** Whose curves these are, and up to which step. */
  let shown = { name: "", step: -1 };
  /** @type {Opened | null} */
  let newest = null;
  let loading = false;

  /** Draws all curves anew: another run, other colours, or a run whose steps come again. */
  async function load() {
    if (!newest || loading) return;
    loading = true;
    const { name } = newest.run;
    try {
      const { charts, step } = await fetchCharts(name);
      if (newest.run.name !== name) return;
      show(charts);
      shown = { name, step };
    } finally {
      loading = false;
    }
    if (newest.run.name === name) follow();
    else await load(); // another run was opened meanwhile
  }

  /** @param {Charts} charts */
  function show(charts) {
    const names = Object.keys(charts);
    const same = names.join() === drawn.map(({ place }) => place.dataset.chart).join();
    const places = same ? drawn.map(({ place }) => place) : names.map(createPlace);
    if (!same) node.replaceChildren(...places);
    linkCharts(places);
    drawn = Object.values(charts).map((chart, i) => ({ place: places[i], chart }));
    for (const one of drawn) {
      one.place.hidden = !hasPoints(one.chart.data);
      void plot(one.place, one.chart);
    }
  }

  /** What is new since. */
  function follow() {
    if (!newest) return;
    const from = shown.step,
      fresh = newest.lines.filter(({ step }) => step >= from); // its milestone may come after it
    shown.step = Math.max(from, fresh.at(-1)?.step ?? from);
    for (const { place, chart } of drawn) {
      extend(place, fresh);
      place.hidden = !hasPoints(chart.data);
    }
  }

  onTheme(() => newest && run(load));

  return {
    node,
    async sheet() {
      const places = drawn.map(({ place }) => place).filter((place) => !place.hidden);
      await Promise.all(places.map(whenDrawn));
      return sheetOf(places, COLUMNS);
    },

    /** @param {Opened} state */
    draw(state) {
      const last = state.lines.at(-1)?.step ?? -1,
        anew = state.run.name !== shown.name || last < shown.step;
      newest = state;
      node.hidden = state.lines.length === 0; // nothing was measured yet, or the run has not begun
      if (!node.hidden) run(anew ? load : follow);
    },
  };
}

/** @param {string} name */
function createPlace(name) {
  const place = chartPlace();
  place.dataset.chart = name;
  return place;
}

/** @param {string} name @returns {Promise<{ charts: Charts, step: number }>} */
const fetchCharts = (name) => requestJson(`runs/${name}/charts?form=${chartForm()}`);
