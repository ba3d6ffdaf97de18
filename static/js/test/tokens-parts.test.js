/* Three ways to bring a picture to whole patches, as the pen is told to draw them. */
import "./small-document.js";
import assert from "node:assert/strict";
import { test } from "node:test";
import { paintFits } from "../screens/tokens/fits.js";

test("all ways are drawn in one scale, and one that is not possible is said", () => {
  const place = document.createElement("div"),
    way = (how, input_size, grid, more = {}) => ({
      ...{ how, input_size, grid, words: `by ${how}`, scale: [0.5, 0.5], offset: [0, 0] },
      ...more,
    });
  const facts = {
    source_size: [100, 60],
    patch_size: 14,
    fits: [
      way("resize", [42, 28], [2, 3]),
      way("pad", [56, 42], [3, 4], { offset: [3, 6] }),
      way("crop", [28, 28], [2, 2], { offset: [-11, -1] }),
      way("pad", null, null),
    ],
  };
  paintFits(place, facts, "source");
  const canvases = place.querySelectorAll("canvas"),
    told = (at, name) =>
      canvases[at].told.filter(([one]) => one === name).map((one) => one.slice(1));
  for (const { width, height } of canvases.slice(0, 3))
    assert.deepEqual([width, height], [480, Math.round((42 * 480) / 56)]);
  assert.deepEqual(told(0, "drawImage"), [["source", 0, 0, 50, 30]]);
  assert.deepEqual(told(1, "drawImage"), [["source", 3, 6, 50, 30]]);
  assert.equal(told(1, "fillRect").length, 1, "what is padded is filled");
  assert.equal(told(2, "drawImage").length, 2, "what is cut off is faint");
  assert.deepEqual(told(2, "rect"), [[0, 0, 28, 28]]);
  assert.deepEqual(told(0, "moveTo"), [
    [14, 0],
    [28, 0],
    [0, 14],
  ]);
  const captions = place.querySelectorAll("figcaption").map((one) => one.textContent);
  assert.match(captions[1], /Pad56 × 42 px3 × 4 patchesby pad/);
  assert.match(captions[3], /not possible/);
});
