/* What a scatter draws over its points, as the pen is told. */
import "./small-document.js";
import assert from "node:assert/strict";
import { test } from "node:test";
import { drawOver, PALE } from "../charts/scatter-drawing.js";
import { Viewport } from "../charts/viewport.js";

globalThis.devicePixelRatio = 1;

function drawn(change = {}, size = [200, 100], canvas = document.createElement("canvas")) {
  const viewport = Object.assign(new Viewport(), { width: size[0], height: size[1] });
  const frame = {
    viewport,
    points: Float32Array.from([0, 0, 0.5, 0, 9, 9]),
    radius: 3,
    colours: Uint32Array.from([1, 2, 3]),
    highlighted: null,
    thumbnails: { small: (index) => `tile ${index}` },
    shown: [],
    side: 20,
    rings: [],
    links: [],
    lasso: null,
    theme: { quiet: "grey", accent: "blue", halo: "white", text: "black" },
    ...change,
  };
  canvas.told = [];
  drawOver(canvas, frame);
  return { canvas, told: canvas.told, pen: canvas.getContext("2d") };
}

test("the canvas is as large as its place, whichever side changes, and empty at first", () => {
  const { canvas, told } = drawn();
  assert.deepEqual([canvas.width, canvas.height], [200, 100]);
  assert.deepEqual(
    told.find(([name]) => name === "clearRect"),
    ["clearRect", 0, 0, 200, 100],
  );
  for (const size of [
    [200, 150],
    [260, 150],
  ]) {
    drawn({}, size, canvas);
    assert.deepEqual([canvas.width, canvas.height], size);
  }
  globalThis.devicePixelRatio = 3;
  drawn({}, [200, 100], canvas);
  assert.deepEqual([canvas.width, canvas.height], [400, 200], "more than two are not seen");
  globalThis.devicePixelRatio = 1;
});

test("pictures lie under links, and these under rings; what is out of sight is left out", () => {
  const { told } = drawn({
    shown: [0, 2],
    links: [[0, 1]],
    rings: [
      { index: 1, colour: "red", text: "cat" },
      { index: 0, colour: "red" },
    ],
    lasso: [
      [0, 0],
      [9, 9],
      [9, 0],
    ],
  });
  const names = told
    .map(([name]) => name)
    .filter((name) => !/Path|setTransform|clear|Dash/.test(name));
  assert.deepEqual(names, [
    ...["fillRect", "drawImage"],
    ...["moveTo", "lineTo", "stroke"],
    ...["arc", "stroke", "arc", "stroke", "strokeText", "fillText"],
    ...["rect", "stroke", "rect", "stroke"],
    ...["lineTo", "lineTo", "lineTo", "fill", "stroke"],
  ]);
  assert.deepEqual(told.find(([name]) => name === "drawImage").slice(1), [
    "tile 0",
    90,
    40,
    20,
    20,
  ]);
});

test("a picture that is not highlighted stands back", () => {
  const seen = [];
  const canvas = document.createElement("canvas"),
    pen = canvas.getContext("2d");
  Object.defineProperty(pen, "globalAlpha", {
    set(value) {
      seen.push(value);
    },
    get: () => 1,
  });
  drawn({ shown: [0, 1], highlighted: Uint8Array.from([0, 1, 0]) }, [200, 100], canvas);
  assert.deepEqual(seen.slice(0, 3), [PALE, 1, 1]);
});
