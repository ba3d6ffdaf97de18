/* Numbers in words, colours that can be read, work at its time. */
import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { settings } from "../settings.js";
import { colourTable, contrast, gradient, inkOn, luminance } from "../ui/colours.js";
import * as format from "../ui/format.js";
import { debounce, rafThrottle, throttle } from "../ui/frame.js";
import { maximum, sum } from "../ui/numbers.js";

test("numbers in words", () => {
  assert.equal(format.percent(0.12345), "12.3 %");
  assert.equal(format.percent(1, 0), "100 %");
  assert.equal(format.spaced(1234567), "1 234 567");
  assert.equal(format.spaced(999), "999");
  const values = [0, 12345.6, 123.456, 1.23456, 0.123456, 0.00123456, 0.0000123456, -0.5, null];
  const words = ["0", "12 346", "123.5", "1.235", "0.123", "1.23e−3", "1.23e−5", "-0.500", "–"];
  assert.equal(format.short(NaN), "–");
  assert.deepEqual(values.map(format.short), words);
  assert.deepEqual([123.4, 12.34, 1.234].map(format.threeDigits), ["123", "12.3", "1.23"]);
  assert.equal(format.plural(1, "patch", "patches"), "1 patch");
  assert.equal(format.plural(0, "patch", "patches"), "0 patches");
  assert.equal(format.place(25, [16, 24]), "row 1, column 1");
});

test("contrast is that of WCAG 2", () => {
  assert.equal(contrast([0, 0, 0], [255, 255, 255]), 21);
  assert.equal(contrast([255, 255, 255], [0, 0, 0]), 21);
  assert.ok(Math.abs(contrast([119, 119, 119], [255, 255, 255]) - 4.48) < 0.01); // #777 on white
  assert.ok(Math.abs(luminance([255, 0, 0]) - 0.2126) < 1e-9);
});

test("ink can be read on any colour", () => {
  for (let r = 0; r < 256; r += 17)
    for (let g = 0; g < 256; g += 17)
      for (let b = 0; b < 256; b += 17) {
        const ink = inkOn([r, g, b]) === "#000" ? 0 : 255;
        assert.ok(contrast([r, g, b], [ink, ink, ink]) >= 4.5, `${r} ${g} ${b}`);
      }
});

test("a colour map as bytes and as a gradient", () => {
  settings.colours.grey = Array.from({ length: 256 }, (_, i) => [i, i, i]);
  assert.deepEqual([...colourTable("grey").slice(-6)], [254, 254, 254, 255, 255, 255]);
  assert.equal(colourTable("grey"), colourTable("grey"));
  assert.match(gradient("grey"), /^linear-gradient\(to right, rgb\(0,0,0\), rgb\(15,15,15\), /);
  assert.ok(gradient("grey").endsWith("rgb(255,255,255))"));
});

test("sums over a part", () => {
  const values = Float32Array.of(9, 1, 3, 2, 9);
  assert.deepEqual([maximum(values, 1, 3), sum(values, 1, 3)], [3, 6]);
});

test("throttled work is done with the newest arguments", () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  let clock = 1000;
  const now = mock.method(performance, "now", () => clock);
  /** @type {number[]} */
  const done = [];
  const work = throttle((/** @type {number} */ value) => done.push(value), 100);
  work(1); // at once
  work(2);
  work(3);
  assert.deepEqual(done, [1]);
  mock.timers.tick(100);
  assert.deepEqual(done, [1, 3]);
  work.now(4);
  assert.deepEqual(done, [1, 3, 4]);
  clock = 5000;
  work(5);
  assert.deepEqual(done, [1, 3, 4, 5]);
  mock.timers.reset();
  now.mock.restore();
});

test("debounced work waits until it is quiet", () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  /** @type {number[]} */
  const done = [];
  const work = debounce((/** @type {number} */ value) => done.push(value), 300);
  work(1);
  mock.timers.tick(200);
  work(2);
  mock.timers.tick(200);
  assert.deepEqual(done, []);
  mock.timers.tick(100);
  assert.deepEqual(done, [2]);
  mock.timers.reset();
});

test("work of a frame is done once", () => {
  /** @type {(() => void)[]} */
  const frames = [];
  Object.assign(globalThis, {
    requestAnimationFrame: (/** @type {() => void} */ f) => frames.push(f),
  });
  /** @type {string[]} */
  const done = [];
  const work = rafThrottle((/** @type {string} */ value) => done.push(value));
  work("a");
  work("b");
  assert.deepEqual([frames.length, done.length], [1, 0]);
  frames.pop()?.();
  work("c");
  frames.pop()?.();
  assert.deepEqual(done, ["b", "c"]);
});
