/* The arithmetic of the losses' screen. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  agreements,
  isCounted,
  maskedIndex,
  maskedPlaces,
  neighbour,
  pairAt,
  rangeOfCounted,
  remainder,
  standOut,
  windowStart,
} from "../screens/losses/arithmetic.js";

test("a crop is not compared with itself, and such a pair sets no limit", () => {
  assert.deepEqual([0, 1, 2, 3, 4, 5].map(pairAt).map(isCounted), [
    false,
    true,
    true,
    false,
    true,
    true,
  ]);
  assert.deepEqual(rangeOfCounted([99, 3, 4, -99, 7, 5]), [3, 7]);
});

test("arrows pass over pairs that do not count and stop at the edge", () => {
  assert.deepEqual(neighbour([2, 0], [1, 0], 4), [3, 0]);
  assert.deepEqual(neighbour([3, 0], [1, 0], 4), [3, 0]);
  assert.deepEqual(neighbour([0, 1], [1, 0], 4), [2, 1]); // over [1, 1]
  assert.deepEqual(neighbour([2, 1], [0, -1], 4), [2, 0]);
  assert.deepEqual(neighbour([1, 0], [0, 1], 4), [1, 0]); // below it is the pair of itself
});

test("masked patches in reading order, found again by their place", () => {
  const mask = Uint8Array.of(0, 1, 1, 0, 0, 1);
  assert.deepEqual(maskedPlaces(mask), [1, 2, 5]);
  assert.deepEqual(
    [0, 1, 2, 3, 4, 5].map((at) => maskedIndex(mask, at)),
    [-1, 0, 1, -1, -1, 2],
  );
});

test("for how many patches both find the same prototype likeliest", () => {
  const teacher = Float32Array.of(0.1, 0.9, 0.6, 0.4, 0.2, 0.8),
    student = Float32Array.of(0.3, 0.7, 0.1, 0.9, 0.1, 0.9);
  assert.equal(agreements(teacher, student, 2), 2);
});

test("prototypes that are named are the teacher's likeliest, then the student's", () => {
  const teacher = [0.5, 0.2, 0.1, 0.1, 0.06, 0.04],
    student = [0, 0, 0, 0, 0.1, 0.9];
  assert.deepEqual(standOut(teacher, student, 3), [0, 1, 5]);
  assert.ok(Math.abs(remainder(teacher, [0, 1]) - 0.3) < 1e-12);
  assert.equal(remainder([0.7, 0.4], [0, 1]), 0); // rounding never leaves less than nothing
  assert.deepEqual(standOut([0.4, 0.6], [0.5, 0.5], 8), [1, 0]); // fewer than could be named
});

test("the window around a patch stays within the grid", () => {
  assert.deepEqual(
    [0, 1, 5, 7].map((i) => windowStart(i, 8)),
    [0, 0, 4, 5],
  );
  assert.equal(windowStart(1, 2), 0);
});
