import assert from "node:assert/strict";
import { test } from "node:test";

import { findOpened, findOwn, keepOwn, noteOpened, outdated } from "../page/own-files.js";

const HOUR = 60 * 60 * 1000;

test("the newest few of the last hour are kept", () => {
  const times = ["a", "b", "c", "d", "e"].map((name, i) => [name, 10 * HOUR - i]);
  assert.deepEqual(outdated(times, 10 * HOUR), ["e"]);
  assert.deepEqual(outdated(times.slice(0, 2), 11 * HOUR), ["b"]);
  assert.deepEqual(outdated([], 0), []);
});

test("where a browser keeps nothing, nothing is found", async () => {
  await keepOwn("a", new File(["x"], "a.png"));
  assert.equal(await findOwn("a"), null);
  await noteOpened("a", { key: "k", model: "m", size: 224 });
  assert.equal(await findOpened("k"), null);
});
