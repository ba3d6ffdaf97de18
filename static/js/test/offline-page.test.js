/* A picture as one file: letters become the bytes that they stand for. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { layerOf, unpacked } from "../standalone/page.js";

test("two letters are 13 bits, and what fills up the last pair is left out", () => {
  const letters = '$y$hvMs]VzH,-%)nw"/^JbA/aS06Bn,=lJ9SxxhbfOvDVY.ia3';
  const bytes = Array.from({ length: 40 }, (_, i) => (37 * i + 11) % 256);
  assert.deepEqual([...unpacked(letters, 40)], bytes);
  assert.deepEqual([...unpacked("", 0)], []);
});

test("a layer's numbers are turned from channel by channel to token by token", () => {
  const facts = /** @type {import("../standalone/page.js").Facts} */ ({
    ...{ title: "", words: "", picture: "", size: [1, 1], grid: [1, 2], registers: 0 },
    ...{ shape: [2, 1, 3, 2], scale: 1, bytes: 0, layers: [] },
  });
  // Of each part and layer two channels of three tokens: 0, -1, 1, 2, -2, 128, folded.
  const folded = [0, 1, 2, 4, 3, 256];
  const low = Uint8Array.from([...Array(4)].flatMap(() => folded.map((one) => one & 255))),
    high = Uint8Array.from([...Array(4)].flatMap(() => folded.map((one) => one >> 8)));
  const data = { steps: Float32Array.of(1, 0.5), low, high, colours: new Uint8Array() };
  const scene = layerOf(data, facts, 1);
  assert.deepEqual([...scene.queries], [0, 1, -0.5, -1, 0.5, 64]);
  assert.deepEqual([...scene.keys], [...scene.queries]);
});
