/* The page's own link, while the browser's Back and Forward lead to pictures that take a while. */
import assert from "node:assert/strict";
import { mock, test } from "node:test";

/** @type {[string, string][]} */
const written = [];
const note = (kind) => (_state, _title, text) => written.push([kind, text]);
Object.assign(globalThis, {
  location: { hash: "" },
  history: { pushState: note("step"), replaceState: note("same") },
});
const { bus } = await import("../page/bus.js");
const { arrived, headingFor, travel } = await import("../page/link.js");

const view = (sample) => ({ key: "k", sample, model: "m", size: 224, seed: 0 });
const place = (sample) => ({ sample, picture: "", model: "m", size: 224 });
const last = () => written.at(-1);

test("another picture is a step; what Back leads to is none, and is awaited from the last step on", () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  bus.emit("screen", { name: "masks", before: null });
  bus.emit("view", view("a.jpg"));
  assert.deepEqual(written, [], "until Python has answered");
  arrived();
  mock.timers.tick(300);
  assert.deepEqual(last(), ["same", "#screen=masks&sample=a.jpg&model=m&size=224&seed=0"]);
  bus.emit("view", view("b.jpg"));
  assert.equal(last()[0], "step");

  const before = written.length;
  travel(() => {}, place("a.jpg"));
  assert.equal(headingFor().sample, "a.jpg");
  mock.timers.tick(15_000);
  travel(() => {}, place("c.jpg"));
  mock.timers.tick(15_000);
  assert.equal(headingFor().sample, "c.jpg", "the second step has waited for 15 s, and not for 30");
  bus.emit("view", view("a.jpg"));
  assert.equal(headingFor().sample, "c.jpg", "what was passed comes late");
  assert.equal(written.length, before);
  bus.emit("view", view("c.jpg"));
  assert.deepEqual(last(), ["same", "#screen=masks&sample=c.jpg&model=m&size=224&seed=0"]);

  travel(() => {}, place("a.jpg"));
  mock.timers.tick(20_000);
  assert.equal(headingFor().sample, "c.jpg", "it does not come: what is shown stays");
  assert.match(last()[1], /sample=c\.jpg/);
  const screens = written.length;
  travel(() => bus.emit("screen", { name: "crops", before: "masks" }), null);
  assert.equal(written.length, screens, "a screen that Back leads to is no step of its own");
  bus.emit("screen", { name: "masks", before: "crops" });
  assert.equal(last()[0], "step");
  mock.timers.reset();
});
