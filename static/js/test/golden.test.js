/* The page's arithmetic against numbers that Python got by another way: tests/script_golden.py. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { parseScene } from "../page/scenes.js";
import { attend, meanOfHeads } from "../screens/attention/attend.js";
import { cosines } from "../screens/features/arithmetic.js";
import { embed, respond, unfold } from "../screens/tokens/embed.js";
import { cosines as positionCosines } from "../screens/tokens/similarity.js";

const golden = JSON.parse(await readFile(new URL("golden.json", import.meta.url), "utf8"));

/** @param {string} part */
function scenesOf(part) {
  return golden[part].scenes.map((text) =>
    parseScene(new Uint8Array(Buffer.from(text, "base64")).buffer),
  );
}

/**
 * @param {ArrayLike<number>} found
 * @param {number[] | number[][]} wanted
 * @param {string} what
 */
function assertClose(found, wanted, what) {
  const numbers = wanted.flat();
  assert.equal(found.length, numbers.length, what);
  numbers.forEach((value, i) => {
    const difference = Math.abs(found[i] - value);
    assert.ok(
      difference <= 2e-6 * Math.max(1, Math.abs(value)),
      `${what}, number ${i}: ${found[i]} is not ${value}`,
    );
  });
}

test("rows of attention are those of the model's own forward", () => {
  const [scene] = scenesOf("attention"),
    { rows, means } = golden.attention;
  const heads = scene.shapes.keys[0];
  assert.equal(rows.length, scene.shapes.keys[1]);
  rows.forEach((wanted, token) => {
    const found = attend(scene, token);
    assertClose(found, wanted, `token ${token}`);
    assertClose(meanOfHeads(found, heads), means[token], `mean of heads, token ${token}`);
  });
});

test("cosines of features are scikit-learn's of what left the model", () => {
  const [one, two] = scenesOf("features");
  golden.features.cosines.forEach((wanted, patch) =>
    assertClose(cosines(one, patch, two), wanted, `patch ${patch}`),
  );
});

test("cosines of positions are scikit-learn's of the positions themselves", () => {
  const [scene] = scenesOf("positions"),
    [, D] = scene.shapes.learned;
  for (const table of ["learned", "given"])
    golden.positions[table].forEach((wanted, place) =>
      assertClose(positionCosines(scene[table], place, D), wanted, `${table} ${place}`),
    );
});

test("embeddings of patches are those of the model's convolution", () => {
  const [scene] = scenesOf("patches"),
    pixels = unfold(scene),
    { embeddings, components } = golden.patches;
  embeddings.forEach((wanted, patch) =>
    assertClose(embed(scene, pixels, patch), wanted, `patch ${patch}`),
  );
  components.forEach((wanted, index) =>
    assertClose(
      respond(scene, pixels, { kind: "components", index }),
      wanted,
      `principal component ${index}`,
    ),
  );
});
