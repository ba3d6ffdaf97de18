/* Two ends: what the source gives to one patch, in all layers and heads. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { valuesAt } from "../screens/attention/ends.js";

test("the value of one patch in every layer and head", () => {
  /** @type {[number, number, number, number]} */
  const shape = [2, 3, 2, 2];
  const rows = Float32Array.from({ length: 24 }, (_, i) => i);
  const overview = /** @type {Parameters<typeof valuesAt>[0]} */ ({
    rows,
    shapes: { rows: shape },
  });
  assert.deepEqual([...valuesAt(overview, 3)], [3, 7, 11, 15, 19, 23]);
  const held = new Float32Array(6);
  assert.equal(valuesAt(overview, 0, held), held, "nothing is made anew under the pointer");
  assert.deepEqual([...held], [0, 4, 8, 12, 16, 20]);
});
