/* The arithmetic of the features screen, and the lines and tables that it hands out. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  cellOf,
  cosines,
  csvOf,
  fitted,
  mean,
  outlinePath,
  samePlace,
} from "../screens/features/arithmetic.js";
import { configInPython, secondInPython } from "../screens/features/in-python.js";
import { huesOf } from "../screens/features/pair/lines.js";
import { colouringQuery } from "../screens/features/state.js";
import { scaleOf } from "../screens/update/teacher.js";
import { nearestStep } from "../screens/update/state.js";

/**
 * @param {number[][]} rows
 * @returns {import("../screens/features/arithmetic.js").PatchesScene}
 */
const patches = (rows) => ({
  directions: Float32Array.from(rows.flat()),
  facts: { layer: 0, grid: [1, rows.length] },
  shapes: { directions: [rows.length, rows[0].length] },
});

test("cosines are dot products, whatever the width", () => {
  for (const width of [1, 3, 4, 7, 8]) {
    const rows = [0, 1, 2].map((p) => Array.from({ length: width }, (_, i) => Math.sin(7 * p + i)));
    const others = [3, 4].map((p) => Array.from({ length: width }, (_, i) => Math.cos(5 * p + i)));
    const found = cosines(patches(rows), 2, patches(others));
    others.forEach((other, p) => {
      const wanted = other.reduce((total, value, i) => total + value * rows[2][i], 0);
      assert.ok(Math.abs(found[p] - wanted) < 1e-6, `width ${width}, patch ${p}`);
    });
  }
});

test("cosines are written where there is room of the right size", () => {
  const scene = patches([
    [1, 0],
    [0, 1],
  ]);
  const out = new Float32Array(2);
  assert.equal(cosines(scene, 0, scene, out), out);
  assert.deepEqual([...out], [1, 0]);
  assert.notEqual(cosines(scene, 0, scene, new Float32Array(3)).length, 3);
});

test("the mean of bytes", () => assert.equal(mean(Uint8Array.of(1, 0, 0, 1)), 0.5));

test("an outline runs where a patch and its neighbour differ", () => {
  assert.equal(outlinePath([1, 1, 1, 1], 2, 2), "");
  assert.equal(outlinePath([1, 0, 1, 1], 2, 2), "M1 0v1M1 1h1");
});

test("points of a map fill the plane on its longer axis, and keep their shape", () => {
  const places = fitted(Float32Array.of(10, 5, 14, 5, 12, 6));
  assert.deepEqual([...places], [-1, -0.25, 1, -0.25, 0, 0.25]);
  assert.deepEqual([...fitted(Float32Array.of(3, 3, 3, 3))], [0, 0, 0, 0], "all in one place");
});

test("the same place in another grid", () => {
  assert.deepEqual(samePlace({ row: 3, col: 5 }, [16, 24], [16, 24]), { row: 3, col: 5 });
  assert.deepEqual(samePlace({ row: 15, col: 23 }, [16, 24], [8, 12]), { row: 7, col: 11 });
  assert.deepEqual(samePlace({ row: 0, col: 0 }, [8, 8], [16, 16]), { row: 1, col: 1 });
});

test("cells and tables", () => {
  assert.deepEqual(cellOf(25, [16, 24]), [1, 1]);
  assert.equal(csvOf(["a", "b"], [[1, 2]]), "a,b\n1,2\n");
});

test("hues go from left to right, lines stay in their order", () => {
  const scene = /** @type {import("../types/scenes").matching.MatchesScene} */ (
    /** @type {unknown} */ ({ lines: Int32Array.of(5, 0, 4), facts: { grid: [2, 3] } })
  );
  assert.deepEqual(huesOf(scene, 3), [
    { patch: 5, hue: 300 },
    { patch: 0, hue: 0 },
    { patch: 4, hue: 150 },
  ]);
  assert.equal(huesOf(scene, 1).length, 1);
});

test("the settings of the PCA as a query and as Python", () => {
  const plain = { preset: "paper", flip: false, changes: {} };
  assert.deepEqual(colouringQuery(plain), { preset: "paper", flip: false });
  assert.equal(configInPython(plain), 'PCA_PRESETS["paper"]');
  const changed = {
    preset: "paper",
    flip: true,
    changes: { components: [4, 1, 2], colours: /** @type {const} */ ("sigmoid"), whiten: true },
  };
  assert.equal(colouringQuery(changed).components, "4,1,2");
  assert.equal(
    configInPython(changed),
    'replace(PCA_PRESETS["paper"], flip=True, components=(4, 1, 2), colours="sigmoid", whiten=True)',
  );
});

test("the second picture in Python, a sample or a file of one's own", () => {
  const second = /** @type {import("../screens/features/state.js").Second} */ (
    /** @type {unknown} */ ({ sample: "flower.jpg", patch_size: 14, short_side: 224 })
  );
  assert.match(secondInPython(second), /open_picture\("static\/samples\/flower.jpg"\)/);
  assert.match(secondInPython({ ...second, sample: "" }), /open_picture\("second.jpg"\)/);
});

test("the step nearest to a place", () => {
  const steps = Int32Array.of(0, 10, 20, 100);
  for (const [place, index] of [
    [-5, 0],
    [4, 0],
    [6, 1],
    [59, 2],
    [61, 3],
    [1000, 3],
  ])
    assert.equal(nearestStep(steps, place), index, String(place));
  assert.equal(nearestStep([7], 3), 0);
});

test("tokens do not set the scale of the distances", () => {
  const layer = (/** @type {string} */ name, /** @type {number} */ relative) => ({
    name,
    relative,
    parameters: 1,
    student: 1,
    difference: 1,
  });
  assert.equal(
    scaleOf([layer("class token", 9), layer("registers", 7), layer("block 0", 0.25)]),
    0.25,
  );
});
