/* One cursor and one range of x for several charts. */

/** @typedef {import("../types/plotly").PlotElement} PlotElement */

/**
 * @typedef {object} Group
 * @property {readonly HTMLElement[]} charts
 * @property {(x: number | null) => unknown} onmove
 * @property {number | null} at
 */

/** @type {WeakMap<HTMLElement, Group>} */
const groups = new WeakMap();
let passingOn = false; // what a chart does because another has done it is not passed on again

/**
 * Gives charts one cursor and one range of x: what is pointed at in one is named in all, and arrows
 * move it.
 *
 * @param {readonly HTMLElement[]} charts
 * @param {(x: number | null) => unknown} [onmove] what is pointed at, null: nothing
 */
export function linkCharts(charts, onmove = () => {}) {
  const group = { charts, onmove, at: null };
  for (const place of charts) groups.set(place, group);
}

/** @param {HTMLElement} place */
const othersOf = (place) =>
  (groups.get(place)?.charts ?? []).filter(
    (one) => one !== place && one.offsetWidth && one.hasAttribute("data-drawn"),
  );

/**
 * Names the values at x in charts.
 *
 * @param {readonly HTMLElement[]} charts
 * @param {number | string} x
 */
function point(charts, x) {
  passingOn = true;
  for (const one of charts) globalThis.Plotly?.Fx.hover(one, { xval: x }, "xy", true);
  passingOn = false;
}

/** @param {HTMLElement} place */
function leave(place) {
  notify(place, null);
  passingOn = true;
  for (const one of [place, ...othersOf(place)]) globalThis.Plotly?.Fx.unhover(one);
  passingOn = false;
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
    for (const other of othersOf(place)) {
      const axis = /** @type {PlotElement} */ (other).layout.xaxis;
      if (range.some(([name, value]) => axisValue(axis, name) !== value))
        globalThis.Plotly?.relayout(other, Object.fromEntries(range));
    }
  });
  place.addEventListener("keydown", (event) => pressKey(place, event));
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
