/* Charts with axes, drawn by Plotly from the figures that the server makes (app/routes/figures.py).

     const place = chartPlace();                       an element to put on the page
     plot(place, charts.learning_rate);                once it is in sight: draws it, or what is new
     extend(place, lines);                             the newest lines of a run's metrics
     linkCharts([place, other]);                       (cursor.js) one cursor and one range of x
     onCells(place, { walked, opened });               (cells.js) what happens in a matrix
     moveLine(place, step);                            a schedule's own cursor

   Plotly's script is fetched when the first chart comes into sight, and not before. */
import { connection } from "../page/connection.js";
import { NetworkError, sentenceOf } from "../page/errors.js";
import { el } from "../ui/dom.js";
import { followCells, hasCells } from "./cells.js";
import { followCursor } from "./cursor.js";
import { newPoints } from "./new-points.js";
import { toolsOf } from "./plot-tools.js";

/** @typedef {import("../types/plotly").Chart} Chart */
/** @typedef {import("../types/plotly").Plotly} Plotly */
/** @typedef {import("../types/plotly").PlotElement} PlotElement */

const SCRIPT = "inside/vendor/plotly.min.js";

// ---------- Plotly itself

/** @type {Promise<Plotly> | null} */
let loading = null;

function loadPlotly() {
  loading ??= new Promise((resolve, reject) => {
    const script = el("script", {
      src: SCRIPT,
      onload: () => (globalThis.Plotly ? resolve(globalThis.Plotly) : reject(new NetworkError())),
      onerror: () => {
        script.remove();
        loading = null; // tried again with the next chart
        reject(new NetworkError());
      },
    });
    document.head.append(script);
  });
  return loading;
}

// ---------- places of charts

/**
 * @typedef {object} Place
 * @property {Chart} chart what it is to show
 * @property {Chart | null} shown what it shows; null until Plotly has drawn in it
 * @property {Promise<void>} drawing
 */
/** @type {WeakMap<Element, Place>} */
const places = new WeakMap();

const sizes = new ResizeObserver((entries) => {
  for (const { target, contentRect } of entries) {
    const known = places.get(target);
    if (!known || !contentRect.width || !(target instanceof HTMLElement)) continue;
    if (known.shown) globalThis.Plotly?.Plots.resize(target);
    else void draw(target, known);
  }
});

/** An element for one chart. @param {string} [className] */
export function chartPlace(className = "") {
  return el("div", { class: `inside-plot ${className}`, role: "group", tabindex: "0" });
}

/**
 * Shows a chart in its place: now when that is in sight, else as soon as it is. What is zoomed or
 * hidden stays so. Resolves when the chart is there, or waits to be seen.
 *
 * @param {HTMLElement} place
 * @param {Chart} chart
 */
export async function plot(place, chart) {
  const { title, note } = chart.layout.meta;
  place.setAttribute("aria-label", note ? `${title}, ${note}` : title);
  const known = places.get(place) ?? { chart, shown: null, drawing: Promise.resolve() };
  known.chart = chart;
  places.set(place, known);
  sizes.observe(place);
  if (place.offsetWidth) await draw(place, known);
}

/** Resolves when a chart that is in sight is there. @param {HTMLElement} place */
export const whenDrawn = async (place) => places.get(place)?.drawing;

/** One drawing after the other. @param {HTMLElement} place @param {Place} known */
function draw(place, known) {
  known.drawing = known.drawing.then(() => drawNewest(place, known));
  return known.drawing;
}

/** @param {HTMLElement} place @param {Place} known */
async function drawNewest(place, known) {
  const { chart, shown } = known;
  if (shown === chart) return;
  try {
    const plotly = await connection.patiently(loadPlotly);
    if (!shown) place.replaceChildren();
    await plotly.react(place, chart.data, chart.layout, {
      displaylogo: false,
      displayModeBar: "hover",
      modeBarButtons: [toolsOf(chart)],
    });
    known.shown = chart;
    if (!shown) follow(/** @type {PlotElement} */ (place), chart);
    place.toggleAttribute("data-drawn", true);
  } catch (error) {
    known.shown = null;
    place.replaceChildren(
      el("p", { class: "inside-note", role: "alert", text: sentenceOf(error) }),
    );
    if (!(error instanceof NetworkError)) globalThis.reportError(error);
  }
}

/** What the pointer and the arrows do in a chart. @param {PlotElement} place @param {Chart} chart */
const follow = (place, chart) => (hasCells(chart.data) ? followCells : followCursor)(place);

/**
 * Adds what a run has measured since, without drawing anew what is there.
 *
 * @param {HTMLElement} place
 * @param {readonly import("./new-points.js").Line[]} lines
 */
export async function extend(place, lines) {
  const known = places.get(place);
  const points = known && newPoints(known.chart.data, lines);
  if (!points) return;
  if (known.shown)
    await globalThis.Plotly?.extendTraces(
      place,
      points,
      known.chart.data.map((_, i) => i),
    );
  else
    known.chart.data.forEach((trace, i) => {
      trace.x.push(...points.x[i]);
      trace.y.push(...points.y[i]);
    });
}

/**
 * Moves the line that a schedule brings along.
 *
 * @param {HTMLElement} place
 * @param {number} x
 */
export function moveLine(place, x) {
  const known = places.get(place);
  if (!known) return;
  const line = { x0: x, x1: x, visible: true };
  Object.assign(known.chart.layout.shapes?.[0] ?? {}, line);
  if (known.shown)
    globalThis.Plotly?.relayout(place, {
      "shapes[0].x0": x,
      "shapes[0].x1": x,
      "shapes[0].visible": true,
    });
}
