/* The bus, and the page's one selection. */
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { bus, createBus } from "../page/bus.js";
import { fitSelection, forgetLink, select, selection, selectFromLink } from "../page/selection.js";

const SMALL = { grid: /** @type {[number, number]} */ ([4, 6]), layers: 4, heads: 3 };
const LARGE = { grid: /** @type {[number, number]} */ ([32, 48]), layers: 12, heads: 6 };

beforeEach(() => select({ row: null, col: null, layer: null, head: null, run: null }));

test("listeners hear what was said while they listened", () => {
  /** @type {ReturnType<typeof createBus<{ one: number }>>} */
  const own = createBus();
  /** @type {number[]} */
  const heard = [];
  own.emit("one", 0);
  const stop = own.on("one", (value) => heard.push(value));
  own.emit("one", 1);
  stop();
  own.emit("one", 2);
  assert.deepEqual(heard, [1]);
});

test("who begins to listen while something is said hears the next", () => {
  /** @type {ReturnType<typeof createBus<{ one: number }>>} */
  const own = createBus();
  /** @type {number[]} */
  const heard = [];
  const stop = own.on("one", () => {
    stop();
    own.on("one", (value) => heard.push(value));
  });
  own.emit("one", 1);
  own.emit("one", 2);
  assert.deepEqual(heard, [2]);
});

test("a listener that fails is reported and keeps nobody from hearing", () => {
  /** @type {unknown[]} */
  const reported = [];
  /** @type {ReturnType<typeof createBus<{ one: number }>>} */
  const own = createBus((error) => reported.push(error));
  let heard = 0;
  own.on("one", () => {
    throw new Error("broken");
  });
  const stop = own.on("one", () => {
    heard += 1;
    stop(); // leaving while it is said harms nobody
  });
  own.on("one", () => (heard += 1));
  own.emit("one", 1);
  assert.deepEqual([heard, String(reported)], [2, "Error: broken"]);
});

test("everybody hears of a selection, and what of it changed", () => {
  /** @type {unknown[]} */
  const changes = [];
  const stop = bus.on("selection", ({ change, selection: now }) => changes.push([change, now.row]));
  select({ row: 1, col: 2 });
  select({ layer: 3 });
  stop();
  assert.deepEqual(changes, [
    [{ row: 1, col: 2 }, 1],
    [{ layer: 3 }, 1],
  ]);
});

test("a selection is brought into the range of a picture", () => {
  fitSelection(LARGE);
  assert.deepEqual({ ...selection }, { row: null, col: null, layer: 11, head: null, run: null });
  select({ row: 3, col: 6, head: 3, layer: 4 }); // each one too many
  fitSelection(SMALL);
  assert.deepEqual({ ...selection }, { row: null, col: null, layer: 3, head: null, run: null });
  select({ row: 3, col: 5, head: 2 });
  fitSelection(SMALL);
  assert.deepEqual({ ...selection }, { row: 3, col: 5, layer: 3, head: 2, run: null });
});

test("what a link selects waits for the picture that it asks for", () => {
  selectFromLink({ row: 20, col: 40, layer: 8 });
  fitSelection(SMALL); // the sample that greets
  assert.equal(selection.row, null);
  select({ run: "a" }); // not about the picture
  fitSelection(LARGE);
  assert.deepEqual([selection.row, selection.col, selection.layer], [20, 40, 8]);
  forgetLink();
  fitSelection(SMALL);
  fitSelection(LARGE);
  assert.equal(selection.row, null);
});

test("who selects something is not overruled by the link", () => {
  selectFromLink({ row: 20, col: 40 });
  select({ row: 1, col: 1 });
  fitSelection(LARGE);
  assert.equal(selection.row, 1);
});

test("a link that says half a patch, or nonsense, selects nothing", () => {
  selectFromLink({ row: 2, layer: NaN, head: -1 });
  assert.deepEqual({ ...selection }, { row: null, col: null, layer: null, head: null, run: null });
});
