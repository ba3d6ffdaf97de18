/* Very many points: what is drawn, who is shown as a picture, and how the parts of a map come together. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Crowd, CROWD, Density, manner } from "../charts/crowd.js";
import { packed } from "../charts/pixels.js";
import { Buckets, pointsInside } from "../charts/points.js";
import { ShownPictures, StandingOut } from "../charts/standing-out.js";
import { Viewport } from "../charts/viewport.js";
import { Names } from "../screens/gallery/names.js";
import { fillIn, fillUp, pointsOf } from "../screens/gallery/parts.js";
import { cloud, random } from "./drawn-points.js";

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

test("a crowd is the same points, sorted, with their colours and who stands back", () => {
  const points = cloud(900, 2);
  points[2 * 7] = points[2 * 7 + 1] = NaN;
  const colours = Uint32Array.from({ length: 900 }, (_, i) => i),
    mask = Uint8Array.from({ length: 900 }, (_, i) => i % 2),
    crowd = new Crowd(points).paint(colours).highlight(mask);
  assert.equal(crowd.colours.length, 899);
  crowd.colours.forEach((i, at) => {
    assert.deepEqual(
      [...crowd.xy.subarray(2 * at, 2 * at + 2)],
      [points[2 * i], points[2 * i + 1]],
    );
    assert.equal(crowd.highlighted?.[at], i % 2);
  });
  const view = new Viewport();
  view.width = view.height = 200;
  assert.equal(crowd.inSight(view).count, 899);
  view.look(0.5, 0.5, 40);
  assert.ok(crowd.inSight(view).count < 100);
});

test("a pixel has the mean of its colours, the more opaque the more points lie on it", () => {
  const [red, blue, white] = [packed([200, 0, 0]), packed([0, 0, 200]), packed([255, 255, 255])],
    plane = { left: 0, top: 0, unit: 1 },
    density = new Density();
  //       one alone; two on one pixel; nobody; ten on one pixel
  const xy = [1.5, 0.5, 2.5, 0.5, 2.5, 0.5, ...Array.from({ length: 10 }, () => [4.5, 0.5]).flat()],
    colours = [red, red, blue, ...Array.from({ length: 10 }, () => blue)];
  const draw = (/** @type {object} */ which) => {
    const words = new Uint32Array(6).fill(white);
    density.begin(6, 1);
    density.add(
      Float32Array.from([...xy, NaN, NaN, 99, 0]),
      Uint32Array.from([...colours, 1, 1]),
      plane,
      {
        ...{ from: 0, to: 15, side: 1 },
        ...which,
      },
    );
    density.end(words);
    return [...words].map((word) => [word & 255, (word >>> 8) & 255, (word >>> 16) & 255]);
  };
  const pixels = draw({});
  assert.deepEqual(pixels[0], [255, 255, 255]);
  assert.deepEqual(pixels[4], [0, 0, 200], "the densest is its colour itself");
  assert.ok(pixels[1][0] > 200 && pixels[1][1] > 100, "one alone is faint, and seen");
  assert.ok(pixels[2][1] < pixels[1][1], "two are more opaque than one");
  assert.ok(Math.abs(pixels[2][0] - pixels[2][2]) < 2, "half red, half blue");
  assert.deepEqual(draw({}), pixels, "and nothing is left of what was drawn before");
  const mask = Uint8Array.from({ length: 15 }, (_, i) => Number(i === 0));
  assert.deepEqual(draw({ mask, value: 1 })[4], [255, 255, 255]);
  assert.deepEqual(draw({ step: 3, from: 3, to: 12 })[4], [0, 0, 200], "a sample counts for all");
});

test("few in sight are discs, many a density, very many a sample while they move", () => {
  assert.equal(manner(CROWD, true, 1).single, true);
  assert.deepEqual(manner(100_000, true, 1), { single: false, step: 1, side: 2 });
  assert.deepEqual(manner(1_000_000, false, 2), { single: false, step: 1, side: 2 });
  assert.ok(manner(1_000_000, true, 1).step > 5);
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
    shown = new ShownPictures();
  const of = (/** @type {Float32Array} */ points) =>
    shown.of(points, view, 46, () => new Buckets(points));
  assert.ok(of(many).length > 10);
  view.look(0.2, 0.2, 30);
  const near = of(many);
  assert.ok(near.length > 5);
  for (const i of near) assert.ok(view.shows(many[2 * i], many[2 * i + 1], -200));
  view.look(0, 0, 1);
  const [first] = of(few);
  assert.equal(first, 0);
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
  assert.equal(points.facts.method, "pca");
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

test("names come page by page, and say when they have", async () => {
  const large = { facts: { names: [], count: 3000, large: true } },
    small = { facts: { names: ["a", "b"], count: 2, large: false } };
  const gallery = (/** @type {unknown} */ one) =>
    /** @type {import("../screens/gallery/data.js").Gallery} */ (one);
  assert.equal(
    new Names(
      gallery(small),
      () => "",
      () => {},
    ).of(1),
    "b",
  );
  const before = globalThis.fetch;
  /** @type {string[]} */
  const asked = [];
  globalThis.fetch = (url) => {
    asked.push(String(url));
    const names = Array.from({ length: 1024 }, (_, i) => `${url} ${i}`);
    return Promise.resolve(new Response(JSON.stringify({ names })));
  };
  try {
    const come = new Promise((done) => {
      const names = new Names(
        gallery(large),
        (page) => `names/${page}`,
        () => done(names.of(1030)),
      );
      assert.equal(names.length, 3000);
      assert.equal(names.of(1030), "…");
      assert.equal(names.of(1031), "…");
    });
    assert.equal(await come, "names/1 6");
    assert.deepEqual(asked, ["names/1"], "once");
  } finally {
    globalThis.fetch = before;
  }
});
