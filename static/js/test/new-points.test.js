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
    x: [1],
    y: [9],
    meta: { field, scale: i ? 100 : 1 },
  }));
  const lines = [
    line(1, { knn: { cls: 9 } }), // drawn already
    line(2, { knn: { cls: 1, both: 0.5 } }),
    line(3, { loss: 1 }), // speaks of neither
    line(4, { knn: { both: 0.75 } }),
    line(5, { knn: { cls: null } }),
  ];
  assert.deepEqual(newPoints(traces, lines), {
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
  const traces = [{ x: [1], y: [1], meta: { field: "loss" } }];
  assert.equal(newPoints(traces, [line(1, { loss: 1 })]), null);
  assert.equal(newPoints(traces, [line(2, { other: 1 })]), null);
});

test("what a milestone measures after its step was drawn is drawn as well, and once", () => {
  const loss = [{ x: [19, 20], y: [2, 1], meta: { field: "loss" } }],
    pieces = [{ x: [0], y: [22], meta: { field: "piece_knn.cls" } }];
  const lines = [line(20, { loss: 1 }), line(20, { piece_knn: { cls: 41 } })];
  assert.equal(newPoints(loss, lines), null);
  assert.deepEqual(newPoints(pieces, lines), { x: [[20]], y: [[41]] });
  pieces[0].x.push(20);
  assert.equal(newPoints(pieces, lines), null);
  assert.deepEqual(newPoints([{ ...pieces[0], x: [], y: [] }], lines), { x: [[20]], y: [[41]] });
});
