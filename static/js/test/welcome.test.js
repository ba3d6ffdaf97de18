/* The welcome: short directions as they are sent, and their cosines. */
import assert from "node:assert/strict";
import test from "node:test";
import { cosinesWith, unpacked } from "../screens/welcome/arithmetic.js";

test("what was sent as small integers has length 1 again, and a patch is wholly like itself", () => {
  const scene = { codes: Int8Array.of(3, 8, -6, 4, 0, 0), scales: Float32Array.of(0.5, 0.25) };
  const vectors = unpacked(scene); // (1.5, 2), (-3, 1) and nothing
  assert.deepEqual([...vectors].map((one) => one.toFixed(4)).slice(0, 2), ["0.6000", "0.8000"]);
  const cosines = [...cosinesWith(vectors, 2, 0)].map((one) => one.toFixed(4));
  const wanted = (-3 * 1.5 + 1 * 2) / (2.5 * Math.sqrt(10));
  assert.deepEqual(cosines, ["1.0000", wanted.toFixed(4), "0.0000"]);
});
