/* A picture of a view has all charts of it, also those that nobody has scrolled to. */
import { settle } from "./small-browser.js";
import assert from "node:assert/strict";
import { test } from "node:test";
import { chartPlace, plot } from "../charts/plot.js";
import { createExports } from "../screens/step/exports.js";
import { createSchedules, PARTS } from "../screens/update/schedules.js";
import { el } from "../ui/dom.js";
import { scrolls } from "./small-document.js";

const chart = (title) => ({ data: [{ x: [1], y: [1] }], layout: { meta: { title, note: "" } } });
const isDrawn = (place) => Boolean(place.chart);

test("One step: the line's charts are drawn before the picture is taken", async () => {
  const place = chartPlace(),
    drawn = el("div", {}, place),
    take = createExports({ steps: [] }, () => "", drawn);
  document.body.append(drawn, take.node);
  scrolls(place, "far away");
  await plot(place, chart("Gradients"));
  await settle();
  assert.ok(!isDrawn(place), "nobody has scrolled there");
  take.node.querySelector("button").click();
  await settle();
  assert.ok(isDrawn(place));
});

test("Update: the sheet has all schedules", async () => {
  const schedules = createSchedules({}, () => {}),
    places = schedules.node.children;
  document.body.append(schedules.node);
  for (const place of places) scrolls(place, "far away");
  schedules.open({ charts: Object.fromEntries(PARTS.map((name) => [name, chart(name)])) });
  await settle();
  assert.ok(!places.some(isDrawn), "nobody has scrolled there");
  await schedules.sheet();
  assert.ok(places.every(isDrawn));
});
