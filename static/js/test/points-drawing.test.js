/* The points of a scatter on a canvas: few are discs, many a density; a frame's worth is what it stands
   for, and all frames together are what one would have been. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Crowd, CROWD, Loose, manner } from "../charts/crowd.js";
import { Density } from "../charts/density.js";
import { packed } from "../charts/pixels.js";
import { PointsDrawing } from "../charts/points-drawing.js";
import { Viewport } from "../charts/viewport.js";
import { cloud } from "./drawn-points.js";

const [RED, BLUE, WHITE] = [packed([200, 0, 0]), packed([0, 0, 200]), packed([255, 255, 255])];

test("a pixel has the mean of its colours, the more opaque the more points lie on it", () => {
  //       one alone; two on one pixel; nobody; ten on one pixel; none, and none in sight
  const ten = Array.from({ length: 10 }, () => [4.5, 0.5]).flat(),
    xy = Float32Array.from([1.5, 0.5, 2.5, 0.5, 2.5, 0.5, ...ten, NaN, NaN, 99, 0]),
    colours = Uint32Array.from([
      RED,
      RED,
      BLUE,
      ...ten.filter((_, k) => k % 2).map(() => BLUE),
      1,
      1,
    ]),
    density = new Density();
  const draw = (/** @type {object} */ which = {}, /** @type {object} */ how = {}) => {
    const words = new Uint32Array(6).fill(WHITE),
      { highlighted = null, ...range } = { highlighted: null, from: 0, to: 15, ...which };
    density.begin(6, 1);
    density.add({ xy, colours, highlighted }, { left: 0, top: 0, unit: 1 }, range);
    density.lay(words, how);
    return [...words].map((word) => [word & 255, (word >>> 8) & 255, (word >>> 16) & 255]);
  };
  const pixels = draw();
  assert.deepEqual(pixels[0], [255, 255, 255]);
  assert.deepEqual(pixels[4], [0, 0, 200], "the densest is its colour itself");
  assert.ok(pixels[1][0] > 200 && pixels[1][1] > 100, "one alone is faint, and seen");
  assert.ok(pixels[2][1] < pixels[1][1], "two are more opaque than one");
  assert.ok(Math.abs(pixels[2][0] - pixels[2][2]) < 2, "half red, half blue");
  assert.deepEqual(draw(), pixels, "and nothing is left of what was drawn before");
  const highlighted = Uint8Array.from({ length: 15 }, (_, i) => Number(i === 0));
  assert.deepEqual(draw({ highlighted, value: 1 })[4], [255, 255, 255]);
  assert.deepEqual(draw({ highlighted, value: 0 })[1], [255, 255, 255]);
  assert.ok(
    draw({}, { weight: 5 })[1][1] < pixels[1][1],
    "one that stands for five is seen better",
  );
  assert.ok(draw({}, { share: 0.2 })[4][0] > 190, "what stands back is pale");
});

test("more points on a pixel than are looked up are as opaque as a few less", () => {
  const density = new Density();
  const shade = (/** @type {number} */ count) => {
    const points = {
      xy: new Float32Array(2 * (count + 5000)).fill(0.5),
      colours: new Uint32Array(count + 5000).fill(BLUE),
      highlighted: null,
    };
    points.xy.fill(1.5, 2 * count); // 5 000 on another pixel
    const words = new Uint32Array(4).fill(WHITE);
    density.begin(2, 2);
    density.add(points, { left: 0, top: 0, unit: 1 }, { from: 0, to: count + 5000 });
    density.lay(words);
    return words[0] & 255;
  };
  assert.ok(Math.abs(shade(1023) - shade(1024)) <= 1);
  assert.ok(shade(1024) > shade(4000));
});

test("few in sight are discs, many a density", () => {
  assert.equal(manner(CROWD, 1).single, true);
  assert.deepEqual(manner(100_000, 1), { single: false, side: 2 });
  assert.deepEqual(manner(1_000_000, 2), { single: false, side: 2 });
});

/** A canvas without a browser; what is on it is in `words`. */
function canvas() {
  const made = {
    words: new Uint32Array(0),
    width: 0,
    dots: 0,
    begin(/** @type {number} */ width, /** @type {number} */ height, /** @type {number} */ ground) {
      made.words = new Uint32Array(width * height).fill(ground);
      made.width = width;
      made.dots = 0;
    },
    use: () => {},
    dot(/** @type {number} */ x, /** @type {number} */ y, /** @type {number} */ colour) {
      made.dots++;
      const at = Math.round(y) * made.width + Math.round(x);
      if (x >= 0 && x < made.width && at >= 0 && at < made.words.length) made.words[at] = colour;
    },
    end: () => {},
  };
  return made;
}

/** @param {ReturnType<typeof canvas>} on */
const drawingOn = (on) =>
  new PointsDrawing(
    /** @type {import("../charts/pixels.js").PixelCanvas} */ (/** @type {unknown} */ (on)),
  );

/** @param {number} n @param {Uint8Array | null} mask */
function crowdOf(n, mask = null) {
  const colours = Uint32Array.from({ length: n }, (_, i) => (i % 3 ? RED : BLUE));
  return new Crowd(cloud(n, 4), 8).paint(colours).highlight(mask);
}

function square() {
  const view = new Viewport();
  view.width = view.height = 120;
  return view;
}

test("a crowd comes slice by slice, and is at last what it would have been at once", () => {
  globalThis.devicePixelRatio = 1;
  const n = 30_000,
    mask = Uint8Array.from({ length: n }, (_, i) => Number(i % 4 === 0));
  for (const highlighted of [null, mask]) {
    const [slow, quick] = [canvas(), canvas()],
      [one, all] = [drawingOn(slow), drawingOn(quick)],
      drawn = { viewport: square(), ground: WHITE };
    one.begin({ ...drawn, crowd: crowdOf(n, highlighted) });
    all.begin({ ...drawn, crowd: crowdOf(n, highlighted) });
    assert.equal(all.step(), false, "nothing is left");
    /** @type {number[]} */
    const covered = [];
    let more = true;
    for (let frame = 0; more; frame++) {
      more = one.step(0);
      covered.push(slow.words.filter((word) => word !== WHITE).length);
      assert.ok(frame < 10);
    }
    assert.equal(covered.length, 9, "a slice in each frame, however little time there is");
    assert.ok(covered[0] > 3000 && covered[0] < covered[7], "the first is a thin picture of it");
    assert.deepEqual(slow.words, quick.words);
  }
});

test("a part that comes later is drawn into what is there; another place begins anew", () => {
  globalThis.devicePixelRatio = 1;
  const [late, whole] = [canvas(), canvas()],
    drawing = drawingOn(late),
    viewport = square(),
    n = 30_000,
    all = cloud(n, 4),
    points = all.slice();
  for (let i = 0; i < n; i++) if (i % 8 > 2) points.fill(NaN, 2 * i, 2 * i + 2);
  const crowd = new Crowd(points, 8).paint(new Uint32Array(n).fill(RED));
  drawing.begin({ viewport, crowd, ground: WHITE });
  assert.equal(drawing.step(), false, "all that has come is drawn");
  assert.equal(crowd.there, (3 * n) / 8);
  points.set(all);
  assert.equal(drawing.step(), false);
  assert.equal(crowd.there, n);
  const quick = drawingOn(whole),
    same = new Crowd(all, 8).paint(new Uint32Array(n).fill(RED));
  quick.begin({ viewport, crowd: same, ground: WHITE });
  quick.step();
  assert.deepEqual(late.words, whole.words);
  viewport.look(0.3, 0, 1.2);
  for (const one of [drawing, quick]) {
    one.begin({ viewport, crowd: one === drawing ? crowd : same, ground: WHITE });
    one.step();
  }
  assert.deepEqual(late.words, whole.words);
});

test("few in sight are drawn one by one, and those that stand back below the others", () => {
  globalThis.devicePixelRatio = 1;
  const on = canvas(),
    drawing = drawingOn(on),
    viewport = square(),
    crowd = crowdOf(30_000);
  viewport.look(0.5, 0.5, 8);
  drawing.begin({ viewport, crowd, ground: WHITE });
  assert.ok(drawing.step(0), "slices are sorted as there is time");
  while (drawing.step(0));
  assert.equal(crowd.there, 30_000);
  assert.ok(on.dots > 200 && on.dots < 3000, `${on.dots}`);
  const xy = Float32Array.of(0, 0, 0, 0),
    colours = Uint32Array.of(BLUE, RED);
  for (const first of [0, 1]) {
    const highlighted = Uint8Array.of(first, 1 - first);
    drawing.begin({
      viewport: square(),
      crowd: new Loose({ xy, colours, highlighted }),
      ground: WHITE,
    });
    drawing.step();
    assert.deepEqual([on.words[60 * 120 + 60], on.dots], [first ? BLUE : RED, 2]);
  }
});
