/* A scatter says when points that were on their way have come to their places. */
import "./small-browser.js";
import assert from "node:assert/strict";
import { test } from "node:test";
import { Scatter } from "../charts/scatter.js";

test("whoever shows where the points are hears that they have come, and of nothing else", () => {
  /** @type {((now: number) => void)[]} */
  const frames = [];
  Object.assign(globalThis, {
    requestAnimationFrame: (/** @type {(now: number) => void} */ work) => frames.push(work),
  });
  const later = (/** @type {number} */ ms) =>
    frames.splice(0).forEach((work) => work(performance.now() + ms));
  /** @type {boolean[]} */
  const heard = [];
  const scatter = new Scatter({
    describe: String,
    onpick: () => null,
    onrest: () => heard.push(scatter.state.moving),
  });
  Object.defineProperty(scatter.node, "offsetParent", { value: scatter.node });
  scatter.setPoints([0, 0, 1, 1]);
  scatter.setPoints([0, 1, 1, 0], { gently: false });
  later(0);
  assert.deepEqual([heard, scatter.state.moving], [[], false], "they were there at once");
  scatter.setPoints([0, 0, 1, 1]);
  later(100);
  assert.deepEqual([heard, scatter.state.moving], [[], true]);
  later(10_000);
  assert.deepEqual([heard, scatter.state.moving], [[false], false]);
  later(10_000);
  assert.deepEqual(heard, [false]);
});
