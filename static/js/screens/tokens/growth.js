/* Lengths of the tokens and what each block adds, step by step, as charts; a click goes to a step. */
import { onPoint } from "../../charts/cursor.js";
import { chartPlace, moveLine, plot } from "../../charts/plot.js";
import { el } from "../../ui/dom.js";
import { throttle } from "../../ui/frame.js";
import { firstPatch, normOf, stepCount } from "./lengths.js";

/** @typedef {import("../../types/plotly").Chart} Chart */
/** @typedef {import("./state.js").State} State */
/** @typedef {import("./state.js").Blocks} Blocks */
/** @typedef {import("./blocks.js").BlockNumbers} BlockNumbers */

/**
 * @param {State} state
 * @param {(step: number) => void} goTo
 */
export function createGrowth(state, goTo) {
  const lengths = chartPlace(),
    updates = chartPlace();
  for (const place of [lengths, updates]) onPoint(place, goTo);

  const followPatch = throttle((/** @type {Blocks} */ held, /** @type {number} */ patch) => {
    if (state.charts) void plot(lengths, withPatch(state.charts.lengths, held, patch));
  });
  const moveLines = throttle((/** @type {number} */ step) => {
    moveLine(lengths, step);
    moveLine(updates, step);
  }, 30);

  return {
    node: el("div", { class: "inside-left inside-growth" }, lengths, updates),

    /** @param {Blocks} held @param {BlockNumbers} numbers @param {Partial<State>} change */
    draw(held, { patch, step, kept }, change) {
      if (!state.charts) return;
      if (change.charts) void plot(updates, state.charts.updates);
      (kept ? followPatch.now : followPatch)(held, patch);
      moveLines(step);
    },
  };
}

/**
 * The chart with the curve of a patch in the place that it has for it.
 *
 * @param {Chart} chart
 * @param {Blocks} held
 * @param {number} patch
 * @returns {Chart}
 */
function withPatch(chart, { scene }, patch) {
  const y = Array.from({ length: stepCount(scene) }, (_, step) =>
    normOf(scene, step, firstPatch(scene) + patch),
  );
  const data = chart.data.map((trace) =>
    trace.meta?.part === "patch" ? { ...trace, x: chart.data[0].x, y } : trace,
  );
  return { ...chart, data };
}
