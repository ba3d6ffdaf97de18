/* The arithmetic of the crops and masks screens, on small cases by hand. */
import assert from "node:assert/strict";
import { test } from "node:test";

import { boxAt, patchLines, sharedBy } from "../screens/crops/boxes.js";
import { linkedOptions, withChoice } from "../screens/crops/options.js";
import { hiddenCount, ownersOf, ownPatches } from "../screens/masks/owners.js";

const BOXES = /** @type {[number, number, number, number][]} */ ([
  [0, 0, 100, 100],
  [20, 20, 60, 60],
]);

test("the smallest box that holds a point, unless an edge is nearer", () => {
  assert.equal(boxAt(BOXES, [40, 40], 1), 1);
  assert.equal(boxAt(BOXES, [80, 80], 1), 0);
  assert.equal(boxAt(BOXES, [2, 40], 1), 0, "its edge is 2 px away");
  assert.equal(boxAt(BOXES, [104, 50], 1), 0, "just outside");
  assert.equal(boxAt(BOXES, [104, 50], 2), null, "8 px of the screen are not near");
  assert.equal(boxAt([], [0, 0], 1), null);
});

test("lines between the patches of a box", () => {
  assert.equal(patchLines([0, 10, 4, 14], 2), "M2 10V14M0 12H4");
  assert.equal(patchLines([0, 0, 4, 4], 1), "");
});

test("what two boxes share", () => {
  const scene = {
    overlaps: Float32Array.of(100, 30, 30, 100),
    ious: Float32Array.of(100, 10, 10, 100),
    facts: { crops: [0, 1] },
  };
  assert.deepEqual(sharedBy(scene, [0, 1]), [30, 10]);
});

test("a choice that is the official one is none; the ends of a range never cross", () => {
  const official = /** @type {import("../types/scenes").crops.CropsScene["facts"]["official"]} */ ({
    global_scale: [0.32, 1],
    local_scale: [0.05, 0.32],
    global_size: 224,
    local_size: 98,
    local_count: 8,
  });
  const facts = { official, config: official };
  const one = withChoice({}, { name: "local_count", value: 4 }, facts);
  assert.deepEqual(one, { local_count: 4 });
  assert.deepEqual(withChoice(one, { name: "local_count", value: 8 }, facts), {});
  assert.deepEqual(withChoice({}, { name: "local_low", value: 0.5 }, facts), {
    local_low: 0.5,
    local_high: 0.5,
  });
  assert.deepEqual(withChoice({ global_low: 0.5 }, { name: "global_high", value: 0.4 }, facts), {
    global_low: 0.4,
    global_high: 0.4,
  });
  assert.deepEqual(withChoice({}, { name: "global_low", value: 0.2 }, facts), { global_low: 0.2 });
});

test("options of the link: numbers alone", () => {
  /** @type {Record<string, string>} */
  const link = { local_count: "3", global_low: "much", global_size: "" };
  assert.deepEqual(
    linkedOptions((name) => link[name] ?? null),
    { local_count: 3 },
  );
});

test("a patch belongs to the block that hid it first", () => {
  const blocks = [
    [0, 0, 2, 2, 4],
    [1, 1, 2, 2, 3],
  ];
  const owners = ownersOf(blocks, [3, 4]);
  assert.deepEqual([...owners], [1, 1, 0, 0, 1, 1, 2, 0, 0, 2, 2, 0]);
  assert.equal(hiddenCount(owners), 7);
  const [first, second] = ownPatches(blocks, [3, 4]);
  assert.equal(first.own.length, 4);
  assert.deepEqual(second.own, [
    [1, 2],
    [2, 1],
    [2, 2],
  ]);
  assert.ok(second.own.some((patch) => String(patch) === String(second.label)));
  const [wide] = ownPatches([[0, 0, 3, 4, 12]], [3, 4]);
  assert.deepEqual(wide.label, [1, 1], "nearest to the middle");
  assert.deepEqual(ownPatches([[1, 1, 1, 3, 3]], [3, 4])[0].label, [1, 2]);
});
