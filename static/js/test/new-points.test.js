/* What new lines of a run's metrics add to its charts. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { newPoints, valueOf } from "../charts/new-points.js";

const line = (/** @type {number} */ step, /** @type {object} */ values) => ({ step, ...values });

test("a value by the names of the entries that lead to it", () => {
  const entry = line(3, { logged: { ibot_loss: 2.5, broken: NaN } });
  assert.equal(valueOf(entry, "step"), 3);
  assert.equal(valueOf(entry, "logged.ibot_loss"), 2.5);
  for (const field of ["logged", "logged.none", "none.at.all", "logged.broken", "step.deeper"])
    assert.equal(valueOf(entry, field), null, field);
});

test("curves of one chart get the same places, with gaps", () => {
  const traces = ["knn.cls", "knn.both"].map((field, i) => ({
    x: [],
    y: [],
    meta: { field, scale: i ? 100 : 1 },
  }));
  const lines = [
    line(1, { knn: { cls: 9 } }), // drawn already
    line(2, { knn: { cls: 1, both: 0.5 } }),
    line(3, { loss: 1 }), // speaks of neither
    line(4, { knn: { both: 0.75 } }),
    line(5, { knn: { cls: null } }),
  ];
  assert.deepEqual(newPoints(traces, lines, 1), {
    x: [
      [2, 4, 5],
      [2, 4, 5],
    ],
    y: [
      [1, null, null],
      [50, 75, null],
    ],
  });
});

test("no new line, nothing to add", () => {
  const traces = [{ x: [], y: [], meta: { field: "loss" } }];
  assert.equal(newPoints(traces, [line(1, { loss: 1 })], 1), null);
  assert.equal(newPoints(traces, [line(2, { other: 1 })], 1), null);
});
