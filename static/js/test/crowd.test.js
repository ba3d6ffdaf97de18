/* Very many points: who is shown as a picture, and how the parts of a map come together. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Buckets } from "../charts/buckets.js";
import { Crowd, CROWD } from "../charts/crowd.js";
import { pointsInside } from "../charts/points.js";
import { ShownPictures, StandingOut } from "../charts/standing-out.js";
import { Viewport } from "../charts/viewport.js";
import { Names } from "../screens/gallery/names.js";
import { fillIn, fillUp, pointsOf } from "../screens/gallery/parts.js";
import { keepNewest, Wanted } from "../screens/gallery/wanted.js";
import { cloud } from "./drawn-points.js";

test("a lasso of many corners holds what comparing with every edge says", () => {
  const points = cloud(4000, 6),
    line = Array.from({ length: 300 }, (_, i) => {
      const angle = (i / 300) * 2 * Math.PI,
        far = 0.5 + 0.3 * Math.sin(7 * angle);
      return /** @type {[number, number]} */ ([far * Math.cos(angle), far * Math.sin(angle)]);
    });
  const wanted = [];
  for (let i = 0; i < 4000; i++) {
    const [x, y] = [points[2 * i], points[2 * i + 1]];
    let odd = false;
    for (let a = 0, b = line.length - 1; a < line.length; b = a++) {
      const [xa, ya] = line[a],
        [xb, yb] = line[b];
      if (ya > y !== yb > y && x < ((xb - xa) * (y - ya)) / (yb - ya) + xa) odd = !odd;
    }
    if (odd) wanted.push(i);
  }
  assert.ok(wanted.length > 300);
  assert.deepEqual(pointsInside(points, line), wanted);
});

test("pictures that stand out overlap nobody, and stay when the map moves", () => {
  const points = cloud(5000, 12),
    side = 0.07,
    all = new StandingOut(new Buckets(points), side).within(-1.2, -1.2, 1.2, 1.2);
  assert.ok(all.length > 80);
  for (const a of all)
    for (const b of all)
      assert.ok(
        a === b ||
          Math.abs(points[2 * a] - points[2 * b]) >= side ||
          Math.abs(points[2 * a + 1] - points[2 * b + 1]) >= side,
      );
  const some = new StandingOut(new Buckets(points), side).within(-0.3, -0.2, 0.4, 0.5),
    known = new Set(all);
  assert.ok(some.length > 20 && some.every((i) => known.has(i)));
  for (const i of all)
    if (
      points[2 * i] > -0.3 &&
      points[2 * i] < 0.4 &&
      points[2 * i + 1] > -0.2 &&
      points[2 * i + 1] < 0.5
    )
      assert.ok(some.includes(i));
});

test("of very many points those in sight are shown, of few all that there is room for", () => {
  const view = new Viewport();
  view.width = view.height = 400;
  const many = cloud(CROWD + 1, 5),
    few = cloud(300, 5),
    crowd = new Crowd(many, 5),
    shown = new ShownPictures();
  const of = (/** @type {Float32Array} */ points) => shown.of(points, view, 46, () => crowd);
  crowd.grow();
  const first = of(many);
  assert.ok(first.length > 10 && first.every((i) => i % 5 === 0), "of those that are sorted");
  while (crowd.grow());
  assert.deepEqual(
    of(many),
    new ShownPictures().of(many, view, 46, () => new Buckets(many)),
  );
  assert.ok(of(many).some((i) => i % 5));
  view.look(0.2, 0.2, 30);
  const near = of(many);
  assert.ok(near.length > 5);
  for (const i of near) assert.ok(view.shows(many[2 * i], many[2 * i + 1], -200));
  view.look(0, 0, 1);
  assert.equal(of(few)[0], 0);
});

/** @param {number} number @param {number} count @param {number} parts */
function part(number, count, parts) {
  const xy = [];
  for (let i = number; i < count; i += parts) xy.push(i, -i);
  const facts = { part: number, parts, count, features: "cls", layer: 1, method: "pca", facts: {} };
  return /** @type {import("../screens/gallery/data.js").Part} */ (
    /** @type {unknown} */ ({ xy: Float32Array.from(xy), facts, shapes: {} })
  );
}

test("the parts of a map fill it up", async () => {
  const points = pointsOf(part(0, 11, 3));
  assert.deepEqual(
    [...points.xy].filter((one) => !Number.isNaN(one)),
    [0, -0, 3, -3, 6, -6, 9, -9],
  );
  assert.deepEqual([points.facts.method, points.parts], ["pca", 3]);
  /** @type {string[]} */
  const asked = [];
  const data = /** @type {import("../screens/gallery/data.js").GalleryData} */ (
    /** @type {unknown} */ ({
      ask: (/** @type {string} */ path, /** @type {object} */ _, /** @type {number} */ number) => {
        asked.push(`${path}/${number}`);
        return Promise.resolve(part(number, 11, 3));
      },
    })
  );
  let told = 0;
  await fillUp(data, points, { query: {}, still: () => true, onpart: () => told++ });
  assert.deepEqual(asked, ["part/1", "part/2"]);
  assert.equal(told, 2);
  assert.deepEqual(
    [...points.xy],
    Array.from({ length: 22 }, (_, k) => (k % 2 ? -(k >> 1) : k >> 1)),
  );
  const other = pointsOf(part(0, 11, 3));
  await fillUp(data, other, { query: {}, still: () => false, onpart: () => told++ });
  assert.equal(told, 2, "what is not wanted any more is not put in");
  fillIn(other.xy, part(1, 11, 3));
  assert.equal(other.xy[2], 1);
});

test("names that are wanted come together, and say when they have", async () => {
  const large = { facts: { names: [], count: 3000, large: true } },
    small = { facts: { names: ["a", "b"], count: 2, large: false } };
  /** @param {unknown} gallery @param {() => void} onarrive */
  const namesOf = (gallery, onarrive = () => {}) =>
    new Names(
      /** @type {import("../screens/gallery/data.js").Gallery} */ (gallery),
      (indices) => `names?of=${indices.join()}`,
      onarrive,
    );
  assert.equal(namesOf(small).of(1), "b");
  const before = globalThis.fetch;
  /** @type {string[]} */
  const asked = [];
  globalThis.fetch = (url) => {
    asked.push(String(url));
    const names = String(url).split("=")[1].split(",");
    return Promise.resolve(new Response(JSON.stringify({ names: names.map((one) => `n${one}`) })));
  };
  try {
    const come = await new Promise((done) => {
      const names = namesOf(large, () => done(names.of(1030)));
      assert.equal(names.length, 3000);
      for (const index of [1030, 7, 1030]) assert.equal(names.of(index), "…");
    });
    assert.equal(come, "n1030");
    assert.deepEqual(asked, ["names?of=7,1030"], "each once, the newest last");
  } finally {
    globalThis.fetch = before;
  }
});

test("of what is wanted the newest is asked for, and what is needed waits its turn", async () => {
  /** @type {number[][]} */
  const asked = [];
  await new Promise((done) => {
    const wanted = new Wanted({
      atOnce: 3,
      isNeeded: (index) => index === 2,
      fetch: (indices) => {
        asked.push(indices);
        if (asked.length === 1) {
          wanted.want(9); // while another request is on its way
          return Promise.reject(new Error("the server has gone"));
        }
        return Promise.resolve(done(null));
      },
    });
    for (const index of [1, 2, 3, 4, 5]) wanted.want(index);
  });
  assert.deepEqual(asked, [
    [3, 4, 5],
    [2, 9],
  ]);
  const map = new Map([[1, "a"]]);
  for (const [index, word] of /** @type {[number, string][]} */ ([
    [2, "b"],
    [1, "c"],
    [3, "d"],
  ]))
    keepNewest(map, index, word, 2);
  assert.deepEqual(
    [...map],
    [
      [1, "c"],
      [3, "d"],
    ],
  );
});
