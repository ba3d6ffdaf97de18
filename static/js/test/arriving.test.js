/* A page arrives by a link: what it selects is there, whichever comes first. */
import "./small-document.js";
import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";

mock.timers.enable({ apis: ["setTimeout"] }); // nothing else is made ready
Object.assign(globalThis, { location: { hash: "" }, history: { replaceState() {} } });
const { arrived } = await import("../page/link.js");
const { setView } = await import("../page/screens.js");
const { select, selectedPatch, selectFromLink } = await import("../page/selection.js");

const view = { key: "own", model: "m", size: 224, seed: 0, grid: [16, 24], layers: 12, heads: 6 };
const link = { picture: "own", layer: 7, head: 2, row: 3, col: 5 };

beforeEach(() => {
  select({ row: null, col: null });
  selectFromLink(link);
});

test("the patch of a link is kept when its picture is there, though no screen has been made", () => {
  assert.deepEqual(selectedPatch(), [null, null], "until then it means nothing");
  setView(view);
  arrived();
  assert.deepEqual(selectedPatch(), [3, 5]);
});

test("on another picture it means nothing", () => {
  setView({ ...view, key: "another" });
  arrived();
  setView(view);
  assert.deepEqual(selectedPatch(), [null, null]);
});
