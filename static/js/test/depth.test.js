/* Through depth: what lies between two layers, and what is said of one. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { table } from "../screens/features/depth/exports.js";
import { between, describeLayer, mixed, scaled } from "../screens/features/depth/state.js";

test("between two layers a film leaves and arrives at rest, and each layer is itself", () => {
  assert.deepEqual(between(0, 3), [0, 1, 0]);
  assert.deepEqual(between(3, 3), [3, 3, 0]);
  assert.deepEqual(between(1.5, 3), [1, 2, 0.5]);
  const [, , early] = between(2.1, 3),
    [, , late] = between(2.9, 3);
  assert.ok(Math.abs(early - 0.028) < 1e-9 && Math.abs(late - 0.972) < 1e-9);
  const values = Uint8Array.of(0, 100, 200, 0);
  assert.deepEqual([...mixed(values, 2, between(0.5, 1))], [100, 50]);
  assert.deepEqual([...mixed(values, 2, between(1, 1))], [200, 0]);
});

test("attention of each layer reaches to its own largest weight", () => {
  const attention = Float32Array.of(0.25, 0.5, 0, 0.125, 0.0625, 0.0625);
  const shapes = { attention: /** @type {[number, number, number]} */ ([2, 1, 3]) };
  const { attention: shares, largest } = scaled({ attention, shapes });
  assert.deepEqual([...shares], [0.5, 1, 0, 1, 0.5, 0.5]);
  assert.deepEqual(largest, [0.5, 0.125]);
});

/** @param {Partial<import("../screens/features/depth/state.js").Choice>} choice */
const loaded = (choice) =>
  /** @type {import("../screens/features/depth/state.js").LoadedDepth} */ (
    /** @type {unknown} */ ({
      choice: { align: "rotation", robust: false, picture: "pca", ...choice },
      scene: {
        facts: {
          ...{ method: choice.align ?? "rotation", cosine: [0.75, 1], variance: [0.5, 0.4] },
          ...{ best: [0.6, 0.4], agreement: [0.9, 0.95], note: "" },
        },
      },
      clusters: { facts: { kept: [0.8, 1] } },
      largest: [0.5, 0.125],
    })
  );

test("a layer says how close it was brought to the next one, the last that none was needed", () => {
  assert.match(describeLayer(loaded({}), 0), /cosine 0\.75 with layer 1, .*: 50 % .* 60 % /);
  assert.match(describeLayer(loaded({}), 1), /^Layer 1: 40 % of its variance/);
  assert.match(describeLayer(loaded({ align: "none" }), 0), /^Layer 0: 50 %/);
  assert.match(describeLayer(loaded({ picture: "clusters" }), 0), /80 % .* in layer 1\.$/);
});

test("a line a layer", () => {
  assert.equal(table(loaded({})).split("\n")[1].trim(), "0,0.75,0.5,0.6,0.9,0.8,0.5");
});
