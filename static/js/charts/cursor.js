/* One cursor and one range of x for several charts. A chart that is out of sight takes them up when it
   comes near. */
import { isNear } from "./sight.js";

/** @typedef {import("../types/plotly").PlotElement} PlotElement */

/**
 * @typedef {object} Group
 * @property {readonly HTMLElement[]} charts
 * @property {(x: number | null) => unknown} onmove
 * @property {number | null} at
 * @property {Record<string, unknown> | null} range as Plotly has told it; null until somebody zooms
 */

/** @type {WeakMap<HTMLElement, Group>} */
const groups = new WeakMap();
/** @type {WeakMap<HTMLElement, (point: number) => unknown>} */
const listeners = new WeakMap();
/** @type {WeakSet<HTMLElement>} where values are named because another chart is pointed at */
const named = new WeakSet();
let passingOn = false; // what a chart does because another has done it is not passed on again

/**
 * Gives charts one cursor and one range of x: what is pointed at in one is named in all, and arrows
 * move it.
 *
 * @param {readonly HTMLElement[]} charts
 * @param {(x: number | null) => unknown} [onmove] what is pointed at, null: nothing
 */
export function linkCharts(charts, onmove = () => {}) {
  const before = groups.get(charts[0]);
  const isSame =
    before?.charts.length === charts.length && charts.every((one) => before === groups.get(one));
  /** @type {Group} */
  const group = { charts, onmove, at: null, range: isSame ? before.range : null };
  for (const place of charts) groups.set(place, group);
}

/**
 * What a click on a point of a chart does.
 *
 * @param {HTMLElement} place
 * @param {(point: number) => unknown} listener
 */
export const onPoint = (place, listener) => void listeners.set(place, listener);

/** @param {HTMLElement} place */
const othersOf = (place) =>
  (groups.get(place)?.charts ?? []).filter(
    (one) => one !== place && isNear(one) && one.offsetWidth && one.hasAttribute("data-drawn"),
  );

/**
 * Names the values at x in charts.
 *
 * @param {readonly HTMLElement[]} charts
 * @param {number | string} x
 */
function point(charts, x) {
  passingOn = true;
  for (const one of charts) {
    globalThis.Plotly?.Fx.hover(one, { xval: x }, "xy", true);
    named.add(one);
  }
  passingOn = false;
}

/** @param {readonly HTMLElement[]} charts */
function unpoint(charts) {
  passingOn = true;
  for (const one of charts) {
    globalThis.Plotly?.Fx.unhover(one);
    named.delete(one);
  }
  passingOn = false;
}

/** @param {HTMLElement} place */
function leave(place) {
  notify(place, null);
  unpoint([place, ...othersOf(place)]);
}

/**
 * A chart has been drawn for the first time: what is done to it concerns the others.
 *
 * @param {PlotElement} place
 */
export function followCursor(place) {
  place.on("plotly_hover", ({ points }) => {
    const x = points[0]?.x;
    if (x === undefined || passingOn) return;
    notify(place, x);
    point(othersOf(place), x);
  });
  place.on("plotly_unhover", () => {
    if (!passingOn) leave(place);
  });
  place.on("plotly_relayout", (change) => {
    const range = Object.entries(change).filter(([name]) => name.startsWith("xaxis."));
    if (!range.length) return;
    const now = Object.fromEntries(range),
      group = groups.get(place);
    if (group) group.range = now;
    for (const other of othersOf(place)) void setRange(/** @type {PlotElement} */ (other), now);
  });
  const clicked = listeners.get(place);
  if (clicked)
    place.on("plotly_click", ({ points }) => {
      const at = points[0]?.pointNumber;
      if (typeof at === "number") clicked(at);
    });
  place.addEventListener("keydown", (event) => pressKey(place, event));
}

/**
 * A chart has come near: it has the cursor and the range of the others.
 *
 * @param {HTMLElement} place that something is drawn in
 */
export async function takeUp(place) {
  const group = groups.get(place);
  if (!group) return;
  if (group.range) await setRange(/** @type {PlotElement} */ (place), group.range);
  if (group.at !== null) point([place], group.at);
  else if (named.has(place)) unpoint([place]);
}

/** @param {PlotElement} place @param {Record<string, unknown>} range */
async function setRange(place, range) {
  const axis = place.layout.xaxis;
  if (Object.entries(range).some(([name, value]) => axisValue(axis, name) !== value))
    await globalThis.Plotly?.relayout(place, range);
}

/** @param {import("../types/plotly").Axis | undefined} axis @param {string} name as in "xaxis.range[0]" */
const axisValue = (axis, name) =>
  name === "xaxis.autorange"
    ? axis?.autorange === true
    : axis?.range?.[name === "xaxis.range[0]" ? 0 : 1];

/** @param {HTMLElement} place @param {number | string | null} x */
function notify(place, x) {
  const group = groups.get(place);
  if (!group) return;
  group.at = typeof x === "number" ? x : null;
  group.onmove(group.at);
}

/**
 * Arrows move the cursor from point to point, Escape takes it away.
 *
 * @param {PlotElement} place
 * @param {KeyboardEvent} event
 */
function pressKey(place, event) {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  const x = place.data[0]?.x ?? [];
  if (event.key === "Escape") leave(place);
  else if (step && x.length) {
    const last = x.length - 1,
      at = groups.get(place)?.at ?? null,
      from = at === null ? last : x.indexOf(at),
      by = step * Math.max(Math.round(last / 60), 1);
    const to = Math.min(Math.max((from < 0 ? last : from) + by, 0), last);
    notify(place, x[to]);
    point([place, ...othersOf(place)], x[to]);
  } else return;
  event.preventDefault();
}
