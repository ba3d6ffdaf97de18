/* Points sorted by place: who is meant by the pointer, and who is the first of a rectangle, is what
   looking at all of them says; in slices, too. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Buckets } from "../charts/buckets.js";
import { Crowd } from "../charts/crowd.js";
import { Viewport } from "../charts/viewport.js";
import { cloud, random } from "./drawn-points.js";

/**
 * The nearest point by looking at all of them, of several the last.
 *
 * @param {ArrayLike<number>} points
 * @param {number[]} where x, y and within
 * @param {(i: number) => boolean} wanted
 */
function nearestOfAll(points, [x, y, within], wanted) {
  let best = null,
    least = within * within;
  for (let i = 0; i < points.length / 2; i++) {
    const away = (points[2 * i] - x) ** 2 + (points[2 * i + 1] - y) ** 2;
    if (wanted(i) && away <= least) [best, least] = [i, away];
  }
  return best;
}

/** Points in a few heaps, many of them in the same places. @param {number} n @param {number} seed */
function heaps(n, seed) {
  const next = random(seed);
  return Float32Array.from({ length: 2 * n }, (_, k) => {
    const heap = (k >> 1) % 3;
    return Math.round(64 * (heap - 1 + 0.2 * (next() + next() - 1))) / 64;
  });
}

test("buckets find the point that looking at all of them finds", () => {
  const next = random(5);
  for (const n of [1, 2, 3, 40, 1000])
    for (const points of [cloud(n, n), heaps(n, n)]) {
      const buckets = new Buckets(points);
      for (let trial = 0; trial < 200; trial++) {
        const where = [3 * next() - 1.5, 3 * next() - 1.5, 0.4 * next()],
          wanted = (/** @type {number} */ i) => i % 3 !== trial % 3;
        const [x, y, within] = trial % 2 ? where : where.map((one) => Math.round(64 * one) / 64);
        const found = buckets.nearest(x, y, within, wanted);
        assert.equal(found, nearestOfAll(points, [x, y, within], wanted));
      }
    }
});

test("few buckets are looked into where many points are near", () => {
  const points = cloud(20_000, 3);
  let read = 0;
  const counted = new Proxy(points, { get: (target, key) => (read++, Reflect.get(target, key)) }),
    buckets = new Buckets(counted);
  read = 0;
  const found = buckets.nearest(0.1, 0.2, 1);
  assert.ok(read < 400, `${read} numbers of 40 000`);
  assert.equal(
    found,
    nearestOfAll(points, [0.1, 0.2, 1], () => true),
  );
  read = 0;
  buckets.firstIn(-0.5, -0.5, 0.5, 0.5);
  assert.ok(read < 1500, `${read} numbers for a quarter of them`);
});

test("buckets bear points on one line, on one place, and none at all", () => {
  assert.equal(new Buckets([]).nearest(0, 0, 1), null);
  assert.notEqual(new Buckets([2, 2, 2, 2]).nearest(2, 2, 0.1), null);
  assert.equal(new Buckets([0, 5, 1, 5, 2, 5]).nearest(1.1, 5, 0.5), 1);
  assert.equal(new Buckets([0, 5, 1, 5, 2, 5]).nearest(1.1, 6, 0.5), null);
});

test("points that are still to come are in no bucket, and keep no other from being found", () => {
  const points = cloud(500, 4);
  for (let i = 0; i < 500; i += 3) points[2 * i] = points[2 * i + 1] = NaN;
  const buckets = new Buckets(points);
  assert.equal(buckets.members.length, 500 - 167);
  assert.ok(buckets.members.every((i) => i % 3));
  assert.equal(buckets.nearest(points[2], points[3], 0.5), 1);
  assert.equal(new Buckets(new Float32Array(20).fill(NaN)).nearest(0, 0, 9), null);
});

test("a rectangle's runs hold all of its points, and the first of them is found", () => {
  const points = cloud(3000, 8),
    buckets = new Buckets(points),
    next = random(3);
  for (let trial = 0; trial < 100; trial++) {
    const [left, top] = [2.4 * next() - 1.3, 2.4 * next() - 1.3],
      [right, bottom] = [left + next(), top + next()];
    const inside = [];
    for (let i = 0; i < 3000; i++)
      if (
        points[2 * i] >= left &&
        points[2 * i] < right &&
        points[2 * i + 1] >= top &&
        points[2 * i + 1] < bottom
      )
        inside.push(i);
    const held = new Set(
      buckets
        .rangesOf(left, top, right, bottom)
        .flatMap(([from, to]) => [...buckets.members.subarray(from, to)]),
    );
    assert.ok(inside.every((i) => held.has(i)));
    assert.equal(buckets.firstIn(left, top, right, bottom), inside[0] ?? -1);
  }
});

test("a crowd finds in slices what looking at all points finds, also while it grows", () => {
  const points = heaps(3000, 7),
    crowd = new Crowd(points, 7),
    next = random(2);
  for (let sorted = 0; sorted <= 7; sorted++) {
    assert.equal(crowd.slices.length, sorted);
    const isIn = (/** @type {number} */ i) => i % 7 < sorted,
      wanted = (/** @type {number} */ i) => isIn(i) && i % 2 === 0;
    assert.equal(crowd.there, [...points.keys()].filter((k) => k < 3000 && isIn(k)).length);
    for (let trial = 0; trial < 60; trial++) {
      const [x, y, within] = [2.6 * next() - 1.3, 2.6 * next() - 1.3, 0.3 * next()];
      assert.equal(
        crowd.nearest(x, y, within, (i) => i % 2 === 0),
        nearestOfAll(points, [x, y, within], wanted),
      );
      const first = [...points.keys()].find(
        (i) =>
          isIn(i) &&
          points[2 * i] >= x &&
          points[2 * i] < x + within &&
          points[2 * i + 1] >= y &&
          points[2 * i + 1] < y + within,
      );
      assert.equal(crowd.firstIn(x, y, x + within, y + within), first ?? -1);
    }
    assert.equal(crowd.grow(), sorted < 7);
  }
});

test("a crowd waits for the parts that are still to come, and goes on when they are there", () => {
  const all = cloud(100, 1),
    points = new Float32Array(200).fill(NaN),
    crowd = new Crowd(points, 4);
  const arrive = (/** @type {number} */ part) => {
    for (let i = part; i < 100; i += 4) points.set(all.subarray(2 * i, 2 * i + 2), 2 * i);
  };
  assert.equal(crowd.grow(), false);
  arrive(0);
  assert.equal(crowd.grow(), true);
  assert.equal(crowd.grow(), false);
  arrive(1);
  arrive(2);
  assert.ok(crowd.grow() && crowd.grow() && !crowd.grow());
  assert.equal(crowd.there, 75);
  arrive(3);
  assert.ok(crowd.grow() && !crowd.grow());
  assert.equal(crowd.there, 100);
});

test("slices are the same points, sorted, with their colours and who stands back", () => {
  const points = cloud(900, 2);
  points[2 * 7] = points[2 * 7 + 1] = NaN;
  const colours = Uint32Array.from({ length: 900 }, (_, i) => i),
    mask = Uint8Array.from({ length: 900 }, (_, i) => Number(i % 5 > 1)),
    crowd = new Crowd(points, 3).paint(colours);
  crowd.grow();
  crowd.highlight(mask); // of what is sorted, and of what will be
  while (crowd.grow());
  const seen = new Set();
  for (const { xy, colours: own, highlighted } of crowd.slices)
    own.forEach((i, at) => {
      seen.add(i);
      assert.deepEqual([...xy.subarray(2 * at, 2 * at + 2)], [points[2 * i], points[2 * i + 1]]);
      assert.equal(highlighted?.[at], mask[i]);
    });
  assert.equal(seen.size, 899);
  assert.equal(crowd.there, 899);
  assert.ok(crowd.isDivided && !crowd.highlight(null).isDivided);
});

test("a slice says how many of the crowd are in sight", () => {
  const view = new Viewport(),
    crowd = new Crowd(cloud(4000, 2), 4);
  view.width = view.height = 200;
  crowd.grow();
  assert.equal(crowd.countInSight(view), 4000);
  view.look(0.5, 0.5, 40);
  assert.ok(crowd.countInSight(view) < 400);
});
