/* What patches add to a class's score. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { shareOf, shares } from "../screens/training/shares.js";

const SCENE = {
  patches: Float32Array.from([1, 2, 3, 4, 0.5, -2, 0.25, 0.25]), // [2 classes, 2, 2]
  facts: /** @type {never} */ ({ grid: [2, 2], classes: ["cat", "dog"] }),
};

test("the shares of a class, their sum and their range", () => {
  const { values, most, total } = shares(SCENE, 1);
  assert.deepEqual([...values], [0.5, -2, 0.25, 0.25]);
  assert.equal(most, 2);
  assert.equal(total, -1);
});

test("a share in words says which way it goes", () => {
  assert.equal(shareOf(SCENE, 1, 0, 1), "row 0, column 1 takes 2.0000 from dog");
  assert.equal(shareOf(SCENE, 0, 1, 0), "row 1, column 0 adds 3.0000 to cat");
});
