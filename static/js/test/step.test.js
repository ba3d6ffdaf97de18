/* One step: from line to line, and the places of the learning rate's slider. */
import assert from "node:assert/strict";
import test from "node:test";
import {
  LAST_RATE,
  linesRun,
  placeOfRate,
  rangeOf,
  rateAt,
  stepBackOver,
  stepOver,
  sumOf,
  visitOfLine,
} from "../screens/step/arithmetic.js";
import { otherOf, rowsOf } from "../screens/step/other-pair.js";

/* f, line 1; g called at line 2: lines 10, 11 and, deeper, 20; then lines 2 and 3 of f. */
const VISITS = [
  { function: 0, first: 1, last: 1, depth: 0 },
  { function: 1, first: 10, last: 10, depth: 1 },
  { function: 2, first: 20, last: 21, depth: 2 },
  { function: 1, first: 11, last: 11, depth: 1 },
  { function: 0, first: 2, last: 2, depth: 0 },
  { function: 2, first: 20, last: 21, depth: 1 },
  { function: 0, first: 3, last: 3, depth: 0 },
];

test("over what is called, and back", () => {
  const over = VISITS.map((_, at) => stepOver(VISITS, at));
  assert.deepEqual(over, [4, 3, 3, 4, 6, 6, 6]);
  const back = VISITS.map((_, at) => stepBackOver(VISITS, at));
  assert.deepEqual(back, [0, 0, 1, 1, 0, 4, 4]);
});

test("a click on a line leads to the next time it runs, then to the first", () => {
  const find = (line, at) => visitOfLine(VISITS, { function: 2, line, at });
  assert.equal(find(20, 0), 2);
  assert.equal(find(21, 2), 5);
  assert.equal(find(21, 5), 2);
  assert.equal(find(22, 0), null);
  assert.equal(visitOfLine(VISITS, { function: 1, line: 20, at: 0 }), null);
});

test("the lines that ran, function by function", () => {
  const run = linesRun(VISITS);
  assert.deepEqual([...(run.get(0) ?? [])], [1, 2, 3]);
  assert.deepEqual([...(run.get(2) ?? [])], [20, 21]);
  assert.equal(run.get(3), undefined);
});

test("a learning rate and its place on the slider", () => {
  for (const rate of [1e-6, 3.8e-5, 1e-4, 5.6e-4, 0.01]) {
    const there = rateAt(placeOfRate(rate));
    assert.ok(Math.abs(there / rate - 1) < 0.07, `${rate} becomes ${there}`);
  }
  assert.equal(rateAt(0), 1e-6);
  assert.equal(rateAt(LAST_RATE), 0.01);
  assert.equal(placeOfRate(0), 0);
});

test("sums and ranges", () => {
  assert.equal(sumOf({ a: 1, b: -0.5 }), 0.5);
  assert.deepEqual(rangeOf(new Float32Array([2, -1, 0])), [-1, 2]);
  assert.deepEqual(rangeOf([]), [0, 0]);
});

test("the same step by another pair: a column each, and no loss that neither has", () => {
  const scene = (before, after, k) => ({
    facts: {
      ...{ before, after, prototypes: [k, k], norms: { backbone: 2 } },
      values: { learning_rate: 1e-3, teacher_temperature: 0.025 },
    },
  });
  const rows = rowsOf([
    scene({ dino_global: 1, ibot: 3 }, { dino_global: 0.5, ibot: 2.5 }, 512),
    scene({ dino_global: 2 }, { dino_global: 2.2 }, 64),
  ]);
  assert.deepEqual(rows.slice(0, 3), [
    ["DINO, global crops", "1.000 → 0.500", "2.000 → 2.200"],
    ["iBOT", "3.000 → 2.500", "not asked"],
    ["Together", "4.000 → 3.000 (−25.0 %)", "2.000 → 2.200 (+10.0 %)"],
  ]);
  assert.deepEqual(rows[3], ["ln K of class tokens", "6.238", "4.159"]);
});

test("a pair stands beside another one, and never beside itself", () => {
  const pairs = [
    { name: "cifar", title: "Small", step: 0 },
    { name: "run:a", title: "Run a", step: 9 },
  ];
  const state = { pairs, options: { pair: "cifar" }, other: "run:a" };
  assert.equal(otherOf(state), "run:a");
  assert.equal(otherOf({ ...state, options: { pair: "run:a" } }), "");
  assert.equal(otherOf({ ...state, other: "run:gone" }), "");
});
