/* Charts with axes, drawn by Plotly from the figures that the server makes (app/routes/figures.py).

     const place = chartPlace();                       an element to put on the page
     plot(place, charts.learning_rate);                a chart, or a newer one
     extend(place, lines);                             the newest lines of a run's metrics
     linkCharts([place, other]);                       (cursor.js) one cursor and one range of x
     onCells(place, { walked, opened });               (cells.js) what happens in a matrix
     moveLine(place, step);                            a schedule's own cursor
     await whenDrawn(place);                           for a picture of it

   What is out of sight (sight.js) is kept as numbers, and drawn when it comes near, once, as it is
   then; what has been drawn is drawn further while it is seen: a run adds lines to a dozen charts each
   second, of which two or three are. Plotly's script is fetched when the first chart comes near; where
   no data is saved as soon as one is on the page, since paper does not wait. */
import { connection } from "../page/connection.js";
import { NetworkError, sentenceOf } from "../page/errors.js";
import { mayFetchAhead } from "../page/screens.js";
import { el } from "../ui/dom.js";
import { followCells, hasCells } from "./cells.js";
import { followCursor, takeUp } from "./cursor.js";
import { newPoints } from "./new-points.js";
import { toolsOf } from "./plot-tools.js";
import { isNear, isSeen, watch } from "./sight.js";

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
 * @property {boolean} isBehind whether the chart that it shows has got points or a line since
 * @property {string} size that it was drawn in
 * @property {Promise<void>} drawing
 */
/** @type {WeakMap<Element, Place>} */
const places = new WeakMap();

/** @param {HTMLElement} place */
const sizeOf = (place) => `${place.offsetWidth} x ${place.offsetHeight}`;

const sizes = new ResizeObserver((entries) => {
  for (const { target, contentRect } of entries) {
    const known = places.get(target);
    if (!known || !contentRect.width || !(target instanceof HTMLElement)) continue;
    if (isNear(target)) void fit(target, known);
    else if (mayFetchAhead()) loadPlotly().catch(() => {}); // asked again by who needs it
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
  const known = places.get(place);
  if (!known) return begin(place, chart);
  known.chart = chart;
  if (isNear(place)) await update(place, known);
}

/** The first chart of a place. @param {HTMLElement} place @param {Chart} chart */
function begin(place, chart) {
  /** @type {Place} */
  const known = { chart, shown: null, isBehind: false, size: "", drawing: Promise.resolve() };
  places.set(place, known);
  sizes.observe(place);
  watch(place, {
    come: () => bringUp(place, known),
    enter: () => known.shown && draw(place, known),
  });
}

/** What has happened while it was out of sight. @param {HTMLElement} place @param {Place} known */
async function bringUp(place, known) {
  await draw(place, known);
  if (!known.shown) return;
  await takeUp(place);
  await fit(place, known);
}

/**
 * Resolves when the chart of a place on the page is there as it is now, in sight or not.
 *
 * @param {HTMLElement} place
 */
export async function whenDrawn(place) {
  const known = places.get(place);
  if (known && place.offsetWidth) await update(place, known);
}

/* On paper everything is seen. */
globalThis.addEventListener("beforeprint", () => {
  for (const place of document.querySelectorAll(".inside-plot"))
    if (place instanceof HTMLElement) void whenDrawn(place);
});

/** Who is near has missed no cursor. @param {HTMLElement} place @param {Place} known */
const update = (place, known) => (known.shown && isNear(place) ? draw : bringUp)(place, known);

/** One drawing after the other. @param {HTMLElement} place @param {Place} known */
function draw(place, known) {
  known.drawing = known.drawing.then(() => drawNewest(place, known));
  return known.drawing;
}

/** Several changes before the next frame are one drawing. @param {HTMLElement} place @param {Place} known */
function drawSoon(place, known) {
  known.isBehind = true;
  requestAnimationFrame(() => {
    if (isSeen(place)) void draw(place, known);
  });
}

/** @param {HTMLElement} place @param {Place} known */
async function drawNewest(place, known) {
  const { chart, shown } = known;
  if ((shown === chart && !known.isBehind) || !place.offsetWidth) return;
  try {
    const plotly = await connection.patiently(loadPlotly);
    known.isBehind = false;
    if (shown === known.chart) await plotly.redraw(place);
    else await show(plotly, place, known);
  } catch (error) {
    known.shown = null;
    place.replaceChildren(
      el("p", { class: "inside-note", role: "alert", text: sentenceOf(error) }),
    );
    if (!(error instanceof NetworkError)) globalThis.reportError(error);
  }
}

/**
 * Draws another chart than the one that is shown, or the first.
 *
 * @param {Plotly} plotly
 * @param {HTMLElement} place
 * @param {Place} known
 */
async function show(plotly, place, known) {
  const { chart, shown } = known;
  if (!shown) place.replaceChildren();
  known.size = sizeOf(place);
  await plotly.react(place, chart.data, chart.layout, {
    displaylogo: false,
    displayModeBar: "hover",
    modeBarButtons: [toolsOf(chart)],
  });
  known.shown = chart;
  if (!shown) follow(/** @type {PlotElement} */ (place), chart);
  place.toggleAttribute("data-drawn", true);
}

/** Makes a chart as large as its place has become. @param {HTMLElement} place @param {Place} known */
async function fit(place, known) {
  const size = sizeOf(place);
  if (!known.shown || !place.offsetWidth || size === known.size) return;
  known.size = size;
  await globalThis.Plotly?.Plots.resize(place);
}

/** What the pointer and the arrows do in a chart. @param {PlotElement} place @param {Chart} chart */
const follow = (place, chart) => (hasCells(chart.data) ? followCells : followCursor)(place);

/**
 * Adds what a run has measured since.
 *
 * @param {HTMLElement} place
 * @param {readonly import("./new-points.js").Line[]} lines
 */
export function extend(place, lines) {
  const known = places.get(place);
  const points = known && newPoints(known.chart.data, lines);
  if (!points) return;
  known.chart.data.forEach((trace, i) => {
    trace.x.push(...points.x[i]);
    trace.y.push(...points.y[i]);
  });
  drawSoon(place, known);
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
  if (known.shown && isSeen(place))
    globalThis.Plotly?.relayout(place, {
      "shapes[0].x0": x,
      "shapes[0].x1": x,
      "shapes[0].visible": true,
    });
  else known.isBehind = true;
}
