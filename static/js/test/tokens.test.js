/* The arithmetic of the tokens screen, against plain loops and small cases by hand. */
import assert from "node:assert/strict";
import { test } from "node:test";

import {
  embed,
  filterColours,
  reach,
  respond,
  strongest,
  unfold,
} from "../screens/tokens/embed.js";
import {
  longestAt,
  meanLength,
  meanUpdates,
  normOf,
  outliersAt,
} from "../screens/tokens/lengths.js";
import { ruleOf } from "../screens/tokens/position-rule.js";
import { cellOf, cosines, meansAlong, patchOf } from "../screens/tokens/similarity.js";

/* A picture of 1 x 2 patches of 2 px, and 3 filters. */
const facts = { grid: [1, 2], patch_size: 2, mean: [0.5, 0.25, 0], std: [0.5, 1, 2] };
const pixels = Uint8Array.from({ length: 2 * 4 * 3 }, (_, i) => (i * 37) % 256);
const filters = Float32Array.from({ length: 3 * 12 }, (_, i) => Math.sin(i));
const scene = {
  facts,
  pixels,
  filters,
  components: filters.subarray(0, 24),
  bias: Float32Array.of(1, -2, 3),
};

/** e[k] as the equation has it. @param {number} k @param {number} patch */
function looped(k, patch) {
  let sum = scene.bias[k];
  for (let c = 0; c < 3; c++)
    for (let y = 0; y < 2; y++)
      for (let x = 0; x < 2; x++) {
        const value = pixels[3 * (y * 4 + patch * 2 + x) + c] / 255;
        sum += filters[((k * 3 + c) * 2 + y) * 2 + x] * ((value - facts.mean[c]) / facts.std[c]);
      }
  return sum;
}

test("an embedding is the filters' sums over normalised pixels", () => {
  const unfolded = unfold(scene);
  for (const patch of [0, 1])
    embed(scene, unfolded, patch).forEach((value, k) =>
      assert.ok(Math.abs(value - looped(k, patch)) < 1e-5),
    );
  const response = respond(scene, unfolded, { kind: "filters", index: 2 });
  assert.ok(Math.abs(response[1] - looped(2, 1)) < 1e-5);
  const component = respond(scene, unfolded, { kind: "components", index: 1 });
  assert.ok(Math.abs(component[0] - (looped(1, 0) - scene.bias[1])) < 1e-5, "has no bias");
});

test("a filter's colours: zero is grey, the largest weight full", () => {
  const weights = new Float32Array(24);
  weights.set([0, 2, -4, 1], 12); // red of the second filter
  const rgb = filterColours(weights, 1, 2);
  assert.deepEqual([rgb[0], rgb[3], rgb[6], rgb[9]], [128, 191, 0, 159]);
  assert.deepEqual([rgb[1], rgb[2]], [128, 128]);
});

test("the strongest number and the reach", () => {
  assert.equal(strongest(Float32Array.of(1, -3, 2)), 1);
  assert.equal(reach([1, -3, 2]), 3);
  assert.ok(reach([0]) > 0);
});

test("cosines, and their means along a row and a column", () => {
  const table = Float32Array.of(1, 0, 0, 1, 0.6, 0.8, -1, 0);
  assert.deepEqual(
    [...cosines(table, 0, 2)].map((value) => value.toFixed(1)),
    [...["1.0", "0.0", "0.6", "-1.0"]],
  );
  const [inRow, inColumn] = meansAlong(Float32Array.of(1, 2, 3, 4, 5, 6), [2, 3], [0, 1]);
  assert.deepEqual([inRow, inColumn], [2, 5]);
  assert.deepEqual(meansAlong(Float32Array.of(1), [1, 1], [0, 0]), [0, 0]);
});

test("patches and cells of a learned grid that is no square", () => {
  const places = {
    rows: Float32Array.of(-0.4, 1.6),
    columns: Float32Array.of(0.2, 3.1, 6.7),
    facts: { learned_grid: /** @type {[number, number]} */ ([2, 7]) },
  };
  assert.deepEqual(cellOf(places, [0, 0]), [0, 0]);
  assert.deepEqual(cellOf(places, [1, 2]), [1, 6], "stays within the rows and within the columns");
  assert.deepEqual(patchOf(places, [1, 4]), [1, 1]);
});

test("the rule of positions, for squares and others", () => {
  const rule = (/** @type {[number, number]} */ learned, /** @type {[number, number]} */ grid) =>
    ruleOf({ learned_grid: learned, grid, untouched: String(learned) === String(grid) });
  assert.match(rule([4, 4], [4, 4]), /16 patches and the picture is square\. So it is here/);
  assert.match(rule([4, 4], [2, 8]), /Here the number is right, but the picture is 2 × 8/);
  assert.match(rule([4, 6], [4, 4]), /grid of 4 × 6 patches\. Here there are 16/);
});

test("lengths, outliers and updates of the walk", () => {
  /* 2 steps, class token, one register, 3 patches */
  const walk = {
    facts: { grid: [1, 3], registers: 1 },
    shapes: { norms: [2, 5], updates: [1, 2, 5] },
    norms: Float32Array.of(9, 8, 1, 2, 3, 19, 18, 4, 9, 5),
    threshold: Float32Array.of(10, 6),
    updates: Float32Array.of(7, 7, 0.25, 0.5, 0.75, 7, 7, 1, 2, 3),
  };
  assert.equal(normOf(walk, 1, 0), 19);
  assert.equal(meanLength(walk), 2);
  assert.equal(longestAt(walk, 1), 9);
  assert.deepEqual(outliersAt(walk, 0), []);
  assert.deepEqual(outliersAt(walk, 1), [1]);
  assert.deepEqual(meanUpdates(walk, 0), [null, null]);
  assert.deepEqual(meanUpdates(walk, 1), [0.5, 2]);
});
