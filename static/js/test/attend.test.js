import assert from "node:assert/strict";
import { test } from "node:test";
import { attend, dot, meanOfHeads, strongest, tokenAt } from "../screens/attention/attend.js";
import { nextCell } from "../ui/roving.js";

/* Two heads, a class token, one register and 2 x 3 patches, width 4. */
const [A, N, d] = [2, 8, 4];
const wave = (step) => Float32Array.from({ length: A * N * d }, (_, i) => Math.sin(step * i + 1));
const scene = {
  facts: { layer: 0, grid: [2, 3], registers: 1, scale: 0.5 },
  shapes: { queries: [A, N, d], keys: [A, N, d] },
  queries: wave(0.7),
  keys: wave(1.3),
};

/* softmax(q k / 2), by the book. */
function slowRow(head, query) {
  const at = (array, token, i) => array[(head * N + token) * d + i];
  const logits = Array.from({ length: N }, (_, n) => {
    let total = 0;
    for (let i = 0; i < d; i++) total += at(scene.queries, query, i) * at(scene.keys, n, i);
    return total / 2;
  });
  const all = logits.reduce((sum, logit) => sum + Math.exp(logit), 0);
  return logits.map((logit) => Math.exp(logit) / all);
}

test("a row is the softmax of the scaled products, in every head", () => {
  for (let query = 0; query < N; query++) {
    const rows = attend(scene, query);
    for (let head = 0; head < A; head++)
      slowRow(head, query).forEach((value, n) =>
        assert.ok(Math.abs(rows[head * N + n] - value) < 1e-6, `head ${head}, token ${n}`),
      );
  }
});

test("rows sum to 1, also where products are far too large for exp", () => {
  const loud = { ...scene, queries: scene.queries.map((value) => 4000 * value) };
  const rows = attend(loud, 3);
  for (let head = 0; head < A; head++) {
    const total = rows.subarray(head * N, (head + 1) * N).reduce((sum, value) => sum + value, 0);
    assert.ok(Math.abs(total - 1) < 1e-6);
  }
});

test("memory of the right size is used again, of another size it is not", () => {
  const rows = attend(scene, 0);
  assert.equal(attend(scene, 1, rows), rows);
  assert.notEqual(attend(scene, 1, new Float32Array(3)).length, 3);
});

test("the mean of the heads", () => {
  const mean = meanOfHeads(Float32Array.of(0.2, 0.8, 0.6, 0.4), 2);
  assert.deepEqual(
    [...mean].map((value) => value.toFixed(3)),
    ["0.400", "0.600"],
  );
  assert.equal(meanOfHeads(Float32Array.of(1, 0, 0, 1), 2, mean), mean);
  assert.deepEqual([...mean], [0.5, 0.5]);
});

test("the strongest of some values, counted from where they begin", () => {
  assert.equal(strongest([9, 1, 3, 2], 1, 3), 1);
  assert.equal(strongest([9, 5, 5], 1, 2), 0);
});

test("q . k of one pair", () => {
  const pair = { head: 1, query: 2, key: 5 };
  let wanted = 0;
  for (let i = 0; i < d; i++)
    wanted += scene.queries[(N + 2) * d + i] * scene.keys[(N + 5) * d + i];
  assert.ok(Math.abs(dot(scene, pair) - wanted) < 1e-9);
});

test("patches come after the class token and the registers", () => {
  assert.equal(tokenAt(scene, null, null), 0);
  assert.equal(tokenAt(scene, 0, 0), 2);
  assert.equal(tokenAt(scene, 1, 2), 7);
});

test("arrows move in a grid and stop at its edges", () => {
  const grid = { count: 6, columns: 3 };
  assert.equal(nextCell("ArrowRight", { ...grid, at: 0 }), 1);
  assert.equal(nextCell("ArrowDown", { ...grid, at: 1 }), 4);
  assert.equal(nextCell("ArrowUp", { ...grid, at: 1 }), null);
  assert.equal(nextCell("ArrowRight", { ...grid, at: 5 }), null);
  assert.equal(nextCell("Home", { ...grid, at: 5 }), 3);
  assert.equal(nextCell("End", { ...grid, at: 3 }), 5);
  assert.equal(nextCell("a", { ...grid, at: 3 }), null);
});
