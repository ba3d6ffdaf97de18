/* Charts are drawn when they come near the part of the page that is seen, and then as they are. */
import { observers, scrolls } from "./small-document.js";
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

/** What the page asks of the window. */
const asked = new Map();
globalThis.addEventListener = (name, listener) => asked.set(name, listener);
const { linkCharts, onPoint } = await import("../charts/cursor.js");
const { chartPlace, extend, moveLine, plot, whenDrawn } = await import("../charts/plot.js");

const later = () => new Promise((resolve) => setTimeout(resolve, 5));

/** What Plotly was told, a word and the title of the chart each. */
let told = [];
let fetched = 0;
/** A drawing that goes on until it is let go. */
let held = Promise.resolve();

document.head.append = (script) => {
  fetched += 1;
  script.fire("load");
};
const titleOf = (place) => place.layout.meta.title;
const tell =
  (word) =>
  async (place, ...more) => {
    told.push([word, titleOf(place), ...more]);
    await held;
  };

beforeEach(() => {
  told = [];
  globalThis.Plotly = {
    async react(place, data, layout) {
      place.heard ??= new Map();
      place.on = (name, listener) => place.heard.set(name, listener);
      Object.assign(place, { data, layout });
      await tell("draws")(place, [...data[0].x]);
    },
    redraw: (place) => tell("draws")(place, [...place.data[0].x]),
    async relayout(place, change) {
      told.push(["moves", titleOf(place), change]);
      const [from, to] = [change["xaxis.range[0]"], change["xaxis.range[1]"]];
      if (to !== undefined) place.layout.xaxis = { range: [from, to] };
    },
    Fx: {
      hover: (place, { xval }) => told.push(["names", titleOf(place), xval]),
      unhover: (place) => told.push(["is silent", titleOf(place)]),
    },
    Plots: { resize: tell("fits") },
  };
});

const chart = (title, x = [1]) => ({
  data: [{ x, y: x.map(() => 0), meta: { field: "loss" } }],
  layout: { meta: { title, note: "" }, shapes: [{}] },
});
const lines = (...steps) => steps.map((step) => ({ step, loss: step / 10 }));

/** The browser has found how large a place is. */
const isLaidOut = (place) =>
  observers
    .find(({ observed }) => observed.includes(place))
    .heard([{ target: place, contentRect: { width: place.offsetWidth } }]);

/** A place on the page, in sight, near it or far away. */
function placeOf(where) {
  const place = Object.assign(chartPlace(), { offsetWidth: 300, offsetHeight: 230 });
  scrolls(place, where);
  document.body.append(place);
  return place;
}

test("a chart out of sight is not drawn, and Plotly is not fetched for it", async () => {
  const place = placeOf("far away");
  await plot(place, chart("far"));
  await later();
  assert.deepEqual([told, fetched, place.getAttribute("aria-label")], [[], 0, "far"]);
  isLaidOut(place);
  assert.equal(fetched, 0, "the browser saves data");
  navigator.connection.saveData = false;
  isLaidOut(place);
  navigator.connection.saveData = true;
  assert.deepEqual([told, fetched], [[], 1], "whoever prints does not wait for it");
});

test("a chart that comes near is drawn once, as it is then, and stays when it leaves", async () => {
  const place = placeOf("far away");
  for (const title of ["first", "second", "third"]) await plot(place, chart(title));
  await later();
  scrolls(place, "near");
  await later();
  assert.deepEqual(told, [["draws", "third", [1]]]);
  assert.ok(place.hasAttribute("data-drawn"));
  scrolls(place, "far away");
  scrolls(place, "in sight");
  await later();
  assert.equal(told.length, 1, "nothing is new");
  assert.ok(place.hasAttribute("data-drawn"));
  scrolls(place, "near");
  await plot(place, chart("fourth"));
  assert.deepEqual(told.at(-1), ["draws", "fourth", [1]], "it may be seen in a moment");
});

test("what a run adds out of sight is in the drawing, before the first and after it", async () => {
  const place = placeOf("far away");
  await plot(place, chart("loss"));
  extend(place, lines(2, 3));
  await later();
  scrolls(place, "in sight");
  await later();
  scrolls(place, "far away");
  extend(place, lines(4));
  extend(place, lines(3, 4, 5));
  await later();
  assert.deepEqual(told, [["draws", "loss", [1, 2, 3]]]);
  scrolls(place, "in sight");
  await later();
  assert.deepEqual(told.slice(1), [["draws", "loss", [1, 2, 3, 4, 5]]]);
  assert.deepEqual(place.data[0].y, [0, 0.2, 0.3, 0.4, 0.5]);
});

test("what is drawn and near is drawn further when it is seen", async () => {
  const place = placeOf("near");
  await plot(place, chart("loss"));
  await later();
  told = [];
  extend(place, lines(2));
  moveLine(place, 2);
  await later();
  assert.deepEqual(told, []);
  scrolls(place, "in sight");
  await later();
  assert.deepEqual(told, [["draws", "loss", [1, 2]]]);
});

test("lines that come before the next frame, or while it is drawn, are one drawing", async () => {
  const place = placeOf("in sight");
  await plot(place, chart("loss"));
  await later();
  told = [];
  for (const step of [2, 3, 4]) extend(place, lines(step));
  assert.deepEqual(told, []);
  let letGo = () => {};
  held = new Promise((resolve) => (letGo = resolve));
  await later();
  assert.deepEqual(told, [["draws", "loss", [1, 2, 3, 4]]]);
  for (const step of [5, 6]) {
    extend(place, lines(step));
    await later(); // a frame each
  }
  assert.equal(told.length, 1);
  letGo();
  await later();
  held = Promise.resolve();
  assert.deepEqual(told.slice(1), [["draws", "loss", [1, 2, 3, 4, 5, 6]]]);
  extend(place, lines(6));
  await later();
  assert.equal(told.length, 2, "no line is new");
});

test("whoever waits for a chart, and paper, get what is out of sight, as it is then", async () => {
  const [one, other, away] = [placeOf("far away"), placeOf("far away"), placeOf("far away")];
  away.offsetWidth = 0;
  for (const [place, title] of [
    [one, "one"],
    [other, "other"],
    [away, "on a hidden screen"],
  ])
    await plot(place, chart(title));
  extend(one, lines(2));
  await whenDrawn(one);
  assert.deepEqual(told, [["draws", "one", [1, 2]]]);
  extend(one, lines(3));
  await whenDrawn(away);
  document.body.replaceChildren(one, other, away);
  asked.get("beforeprint")();
  await later();
  assert.deepEqual(told.slice(1).sort(), [
    ["draws", "one", [1, 2, 3]],
    ["draws", "other", [1]],
  ]);
});

test("a chart on a hidden screen waits until that is open", async () => {
  const place = placeOf("in sight");
  await plot(place, chart("before"));
  await later();
  told = [];
  place.offsetWidth = 0; // as long as no frame has passed, it counts as near
  await plot(place, chart("after"));
  extend(place, lines(2));
  await later();
  assert.deepEqual(told, []);
  scrolls(place, "far away");
  place.offsetWidth = 300;
  scrolls(place, "in sight");
  await later();
  assert.deepEqual(told, [["draws", "after", [1, 2]]]);
});

test("a chart is drawn anew for another size, and for no other reason", async () => {
  const place = placeOf("in sight");
  await plot(place, chart("c"));
  await later();
  isLaidOut(place);
  assert.deepEqual(told, [["draws", "c", [1]]], "it was drawn in this size");
  place.offsetWidth = 200;
  isLaidOut(place);
  assert.deepEqual(told.slice(1), [["fits", "c"]]);
  scrolls(place, "far away");
  place.offsetWidth = 100;
  isLaidOut(place);
  assert.equal(told.length, 2, "out of sight");
  scrolls(place, "in sight");
  await later();
  assert.deepEqual(told.slice(2), [["fits", "c"]]);
});

test("a line that was moved out of sight stands right when the chart comes", async () => {
  const place = placeOf("in sight");
  await plot(place, chart("c"));
  await later();
  moveLine(place, 3);
  assert.equal(told.at(-1)[0], "moves");
  scrolls(place, "far away");
  for (const x of [4, 5, 6]) moveLine(place, x);
  assert.equal(told.length, 2);
  scrolls(place, "in sight");
  await later();
  assert.deepEqual(told.slice(2), [["draws", "c", [1]]]);
  assert.equal(place.layout.shapes[0].x0, 6);
});

test("linked charts: who comes late has the cursor and the range of the others", async () => {
  const [near, far, fresh] = [placeOf("in sight"), placeOf("in sight"), placeOf("far away")];
  linkCharts([near, far, fresh]);
  await Promise.all([
    plot(near, chart("near")),
    plot(far, chart("far")),
    plot(fresh, chart("fresh")),
  ]);
  await later();
  scrolls(far, "far away");
  told = [];
  const range = { "xaxis.range[0]": 2, "xaxis.range[1]": 5 };
  near.heard.get("plotly_relayout")({ ...range, "yaxis.autorange": true });
  near.heard.get("plotly_hover")({ points: [{ x: 4 }] });
  assert.deepEqual(told, [], "the others are out of sight");
  linkCharts([near, far, fresh]); // as with each answer of the server
  near.heard.get("plotly_hover")({ points: [{ x: 3 }] });
  scrolls(far, "in sight");
  scrolls(fresh, "in sight");
  await later();
  assert.deepEqual(
    told.filter(([, title]) => title === "far"),
    [
      ["moves", "far", range],
      ["names", "far", 3],
    ],
  );
  assert.deepEqual(
    told.filter(([, title]) => title === "fresh"),
    [
      ["draws", "fresh", [1]],
      ["moves", "fresh", range],
      ["names", "fresh", 3],
    ],
  );
  scrolls(far, "far away");
  near.heard.get("plotly_unhover")();
  told = [];
  scrolls(far, "in sight");
  await later();
  assert.deepEqual(told, [["is silent", "far"]]);
});

test("a click on a point is heard of a chart that is drawn later", async () => {
  const place = placeOf("far away"),
    clicked = [];
  onPoint(place, (point) => clicked.push(point));
  await plot(place, chart("c"));
  await later();
  scrolls(place, "in sight");
  await later();
  for (const points of [[], [{ pointNumber: [1, 2] }], [{ pointNumber: 7 }]])
    place.heard.get("plotly_click")({ points });
  assert.deepEqual(clicked, [7]);
});
