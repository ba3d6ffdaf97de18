/* What a stop of the path selects on a picture. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { selectionOf } from "../guide/path/setting.js";

const VIEW = { grid: [16, 24], layers: 12, heads: 6 };
const stop = (change) => ({ layer: "", head: "", patch: "", ...change });

test("a stop selects within the picture and the model, and leaves the rest", () => {
  assert.deepEqual(selectionOf(stop({}), VIEW), {});
  assert.deepEqual(selectionOf(stop({ layer: "last", head: "mean" }), VIEW), {
    layer: 11,
    head: null,
  });
  assert.deepEqual(selectionOf(stop({ layer: "first", head: "9" }), VIEW), { layer: 0, head: 5 });
  assert.deepEqual(selectionOf(stop({ patch: "middle" }), VIEW), { row: 8, col: 12 });
  assert.deepEqual(selectionOf(stop({ patch: "class" }), VIEW), { row: null, col: null });
});
