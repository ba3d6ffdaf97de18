import assert from "node:assert/strict";
import { test } from "node:test";
import { stepTo } from "../page/history.js";
import { formatLink, parseLink } from "../page/link.js";
import { fitted, prepared } from "../page/picture-upload.js";

const SHOWN = { screen: "crops", sample: "cat.jpg", picture: "", model: "m", size: 224, seed: 0 };

test("a step back to another screen asks for no picture", () => {
  const step = stepTo({ ...SHOWN, screen: "masks", layer: 3, row: 1, col: 2 }, SHOWN);
  assert.deepEqual(step, {
    screen: "masks",
    picture: false,
    selects: { head: null, row: 1, col: 2, layer: 3 },
  });
});

test("a step back to another picture, model or size asks for it", () => {
  for (const change of [{ sample: "dog.jpg" }, { model: "n" }, { size: 448 }, { picture: "key" }])
    assert.equal(stepTo({ ...SHOWN, ...change }, SHOWN).picture, true);
  assert.equal(stepTo({ ...SHOWN, picture: undefined }, SHOWN).picture, false);
  assert.equal(stepTo(SHOWN, SHOWN).screen, null);
});

test("a picture of one's own is in the link by its key", () => {
  const link = formatLink({ screen: "masks", sample: "", picture: "a-b_c", model: "m" }, {});
  assert.deepEqual(parseLink(link).state, { screen: "masks", picture: "a-b_c", model: "m" });
});

test("large pictures are fitted, small ones are left alone", () => {
  assert.deepEqual(fitted(8000, 6000, 2400), [2400, 1800]);
  assert.deepEqual(fitted(600, 8000, 2400), [180, 2400]);
  assert.deepEqual(fitted(800, 600, 2400), [800, 600]);
  assert.deepEqual(fitted(100000, 1, 2400), [2400, 1]);
});

test("a file without a type or ending passes to where it is looked at", async () => {
  const heic = await prepared(new File([new Uint8Array(9)], "IMG_1.HEIC"));
  assert.deepEqual([heic.name, heic.type], ["IMG_1.HEIC", "image/png"]);
  const bare = await prepared(new File([new Uint8Array(9)], "photo", { type: "image/jpeg" }));
  assert.equal(bare.type, "image/png");
  const usual = new File([new Uint8Array(9)], "a.jpg", { type: "image/jpeg" });
  assert.equal(await prepared(usual), usual);
});

test("what this browser cannot decode goes as it is", async () => {
  const raw = new File([new Uint8Array(4 * 2 ** 20)], "a.dng", { type: "image/x-adobe-dng" });
  assert.equal((await prepared(raw)).size, raw.size);
});
