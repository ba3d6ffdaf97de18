/* The link behind the # of the address, there and back. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { formatLink, parseLink } from "../page/link.js";

const STATE = {
  screen: "features",
  sample: "cat.jpg",
  model: "preview_vits14",
  size: 448,
  seed: 7,
};
const PATCH = { layer: 11, head: 2, row: 0, col: 31 };

test("a link comes back as it was", () => {
  const state = { ...STATE, ...PATCH };
  const extras = { "features.second": "rocket & co.jpg", ratio: "0.3", name: "Zwölf" };
  assert.deepEqual(parseLink(formatLink(state, extras)), { state, extras });
});

test("what is not set is left out", () => {
  const nothing = { screen: "crops", sample: "", layer: null, head: undefined, row: 0 };
  assert.equal(formatLink(nothing, {}), "#screen=crops&row=0");
  assert.deepEqual(parseLink("#screen=crops&row=0"), {
    state: { screen: "crops", row: 0 },
    extras: {},
  });
  assert.deepEqual(parseLink(""), { state: {}, extras: {} });
});

test("a damaged link is no trouble", () => {
  const { state, extras } = parseLink("#layer=x&row=3.7&row=9&&=&%zz=1&__proto__=2&screen=<b>");
  assert.ok(Number.isNaN(state.layer));
  assert.deepEqual([state.row, state.screen], [3, "<b>"]);
  assert.equal(extras["%zz"], "1");
  assert.equal(Object.getPrototypeOf(extras), Object.prototype);
});
