/* The arithmetic of a scatter: what lies ahead, what a line holds, where things are. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { groupColour } from "../charts/groups.js";
import { cssColour, disc, mixed, packed } from "../charts/pixels.js";
import { between, eased, pointAhead, pointsInside, spacedOut } from "../charts/points.js";
import { pressKey } from "../charts/scatter-controls.js";
import { Viewport } from "../charts/viewport.js";
import { cloud } from "./drawn-points.js";

test("an arrow goes to what lies ahead, rather near than far, rather ahead than aside", () => {
  //                    0     1     2      3      4
  const points = [0, 0, 1, 0, 3, 0, 0.5, 2, -1, 0];
  assert.equal(pointAhead(points, 0, [1, 0]), 1);
  assert.equal(pointAhead(points, 0, [-1, 0]), 4);
  assert.equal(pointAhead(points, 0, [0, 1]), 3);
  assert.equal(pointAhead(points, 0, [0, -1]), null);
  assert.equal(
    pointAhead(points, 0, [1, 0], (i) => i !== 1),
    2,
  );
});

test("a lasso holds what is inside it, also of a line that is not convex", () => {
  /** @type {[number, number][]} a C, open to the right */
  const line = [
    [0, 0],
    [4, 0],
    [4, 1],
    [1, 1],
    [1, 3],
    [4, 3],
    [4, 4],
    [0, 4],
  ];
  const points = [0.5, 2, 2, 2, 3, 0.5, 3, 3.5, 5, 0.5, -1, 2];
  assert.deepEqual(pointsInside(points, line), [0, 2, 3]);
  assert.deepEqual(pointsInside(points, [...line].reverse()), [0, 2, 3]);
  assert.deepEqual(pointsInside(points, []), []);
});

test("pictures that are shown do not cover each other, and no place is left empty", () => {
  const points = cloud(500, 9),
    side = 0.13,
    shown = spacedOut(points, side);
  const overlaps = (/** @type {number} */ a, /** @type {number} */ b) =>
    Math.abs(points[2 * a] - points[2 * b]) < side &&
    Math.abs(points[2 * a + 1] - points[2 * b + 1]) < side;
  assert.equal(shown[0], 0);
  for (const a of shown) for (const b of shown) assert.ok(a === b || !overlaps(a, b));
  for (let i = 0; i < 500; i++)
    assert.ok(shown.includes(i) || shown.some((one) => one < i && overlaps(one, i)));
});

test("on the way from one map to another", () => {
  const [from, to] = [Float32Array.of(0, 1), Float32Array.of(1, -1)];
  assert.deepEqual([...between(from, to, 0.5)], [0.5, 0]);
  assert.deepEqual([0, 0.5, 1].map(eased), [0, 0.5, 1]);
  assert.ok(eased(0.1) < 0.1 && eased(0.9) > 0.9);
});

/** @param {number} width @param {number} height */
function viewport(width, height) {
  const made = new Viewport();
  made.width = width;
  made.height = height;
  return made;
}

test("the whole plane is in sight, and the way to the screen and back is the same", () => {
  const view = viewport(800, 400);
  assert.deepEqual(view.toScreen(0, 0), [400, 200]);
  assert.equal(view.toScreen(0, 1)[1], 200 + 0.46 * 400);
  view.look(0.3, -0.2, 7);
  const [x, y] = view.toPlane(...view.toScreen(0.31, -0.17));
  assert.ok(Math.abs(x - 0.31) < 1e-12 && Math.abs(y + 0.17) < 1e-12);
});

test("what lies on the top of a map leaves the whole of it below", () => {
  const view = viewport(800, 400);
  view.inset = 40;
  assert.equal(view.shorter, 360);
  assert.deepEqual(view.toScreen(0, 0), [400, 220]);
  assert.ok(view.toScreen(0, -1)[1] > 40 && view.toScreen(0, 1)[1] < 400);
  const [x, y] = view.toPlane(400, 100);
  view.zoomAt(2, 400, 100);
  assert.ok(Math.hypot(view.toScreen(x, y)[0] - 400, view.toScreen(x, y)[1] - 100) < 1e-9);
});

test("what lies under the pointer stays there while one zooms in", () => {
  const view = viewport(800, 400),
    before = view.toPlane(500, 150);
  view.zoomAt(1.5, 500, 150);
  view.zoomAt(3, 500, 150);
  const after = view.toPlane(500, 150);
  assert.ok(Math.abs(view.zoom - 4.5) < 1e-12);
  assert.ok(Math.hypot(after[0] - before[0], after[1] - before[1]) < 1e-12);
  view.zoomAt(1 / 100, 20, 20);
  assert.deepEqual([view.zoom, ...view.centre], [1, 0, 0], "all the way out is the whole plane");
});

test("nobody is lost: the plane stays in sight, and has a deepest zoom", () => {
  const view = viewport(800, 400);
  view.pan(-9000, 9000);
  assert.deepEqual(view.centre, [0.25, -0.25]);
  view.look(9, -9, 1e9);
  assert.deepEqual([view.zoom, ...view.centre], [400, 1.1, -1.1]);
  view.look(0, 0, 2);
  view.pan(0.46 * 400 * 2 * 0.1, 0);
  assert.ok(Math.abs(view.centre[0] + 0.1) < 1e-12, "to drag right is to look left");
  assert.ok(view.shows(0, 0) && !view.shows(1, 1));
});

test("keys that a scatter has no use for stay the page's", () => {
  /** @type {unknown[][]} */
  const calls = [];
  const target = {
    hovered: /** @type {number | null} */ (3),
    step: (/** @type {readonly number[]} */ direction) => calls.push(["step", ...direction]),
    zoomAt: (/** @type {number} */ factor) => calls.push(["zoom", factor]),
    showWhole: () => calls.push(["whole"]),
    clear: () => calls.push(["clear"]),
    pick: (/** @type {number} */ index) => calls.push(["pick", index]),
    toggle: (/** @type {number} */ index) => calls.push(["toggle", index]),
  };
  for (const key of ["ArrowUp", "+", "0", "Escape", "Enter", " "])
    assert.ok(pressKey(key, target), key);
  assert.deepEqual(calls, [
    ["step", 0, -1],
    ["zoom", 1.5],
    ["whole"],
    ["clear"],
    ["pick", 3],
    ["toggle", 3],
  ]);
  assert.ok(!pressKey("Tab", target) && !pressKey("a", target));
  target.hovered = null;
  calls.length = 0;
  assert.ok(pressKey(" ", target), "the page does not scroll away");
  assert.deepEqual(calls, []);
});

test("a stamp is a disc, and colours are packed and mixed channel by channel", () => {
  const { rows, side, half } = disc(3);
  assert.deepEqual([side, half], [7, 3]);
  const area = rows.reduce((sum, { cover }) => sum + cover.reduce((a, b) => a + b, 0), 0) / 256;
  assert.ok(Math.abs(area - Math.PI * 9) < 1.5);
  for (const { cover, from, to } of rows)
    cover.forEach((one, i) => assert.equal(one === 256, i >= from && i < to));
  assert.equal(cssColour(packed([1, 20, 255])), "rgb(1 20 255)");
  assert.equal(mixed(packed([9, 99, 200]), packed([1, 2, 3]), 256), packed([9, 99, 200]));
  assert.equal(mixed(packed([9, 99, 200]), packed([1, 2, 3]), 0), packed([1, 2, 3]));
  assert.equal(mixed(packed([200, 0, 100]), packed([0, 100, 200]), 128), packed([100, 50, 150]));
});

test("groups have colours of their own, however many there are", () => {
  const colours = Array.from({ length: 60 }, (_, group) => String(groupColour(group)));
  assert.equal(new Set(colours).size, 60);
  assert.ok(colours.every((one) => one.split(",").every((byte) => byte >= "0" && +byte <= 255)));
  assert.notDeepEqual(groupColour(-1), groupColour(0));
});
