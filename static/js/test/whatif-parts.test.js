/* The parts of What if as somebody touches them: what the brush holds, and the numbers of one part. */
import "./small-document.js";
import assert from "node:assert/strict";
import { test } from "node:test";
import { createScreeningCard } from "../screens/whatif/screening-card.js";
import { brushed, createStrokes, heldBy } from "../screens/whatif/strokes.js";
import { createEditing } from "../screens/whatif/state.js";
import { createUndo } from "../screens/whatif/undo.js";

const edit = (text) => ({ text, on: true });
const VIEW = { grid: [2, 3] };

test("the brush holds the patches of its own change, wherever that stands in the list", () => {
  const own = edit("tokens:0[0,1;1,2]=mean"),
    other = edit("head:1.1=zero"),
    state = { view: VIEW, brush: "patches", block: 0, kind: "mean" };
  for (const edits of [[own], [other, own]]) {
    assert.equal(brushed({ ...state, edits }), edits.length - 1);
    assert.deepEqual([...heldBy({ ...state, edits })].sort(), [1, 5]);
  }
  assert.deepEqual([...heldBy({ ...state, edits: [other] })], []);
  assert.deepEqual([...heldBy({ ...state, edits: [own], view: null })], []);
  const queries = new Set([3]);
  assert.equal(heldBy({ ...state, edits: [own], brush: "queries", queries }), queries);
});

test("a stroke adds or takes away what it goes over, and is one change", () => {
  const state = { view: VIEW, brush: "patches", block: 0, kind: "mean", edits: [] };
  const editing = createEditing(state, (edits) => Object.assign(state, { edits }));
  const strokes = createStrokes(
    state,
    () => {},
    editing,
    () => {},
  );
  strokes.begin([0, 0]);
  strokes.goOn([0, 2]);
  assert.deepEqual([...strokes.held()], [0, 1, 2]);
  assert.deepEqual(state.edits, [], "until it ends");
  strokes.end();
  assert.deepEqual([...heldBy(state)], [0, 1, 2]);
  strokes.dab([0, 1]);
  assert.deepEqual([...heldBy(state)], [0, 2], "the first patch was held: it takes away");
  strokes.dab([0, 0], true);
  assert.deepEqual([...heldBy(state)], [0, 2], "told to add");
  strokes.begin([1, 1]);
  strokes.forget();
  assert.equal(strokes.held(), null);
  strokes.dab([0, 0]);
  strokes.dab([0, 2]);
  assert.deepEqual(state.edits, [], "nothing is left of the change");
  editing.undo();
  assert.deepEqual([...heldBy(state)], [2]);
});

test("what was undone can be done again until something else is done", () => {
  const undo = createUndo(),
    [none, one, two] = [[], [edit("a")], [edit("b")]];
  undo.push(none);
  assert.deepEqual(undo.undo(one), none);
  assert.ok(undo.canRedo());
  undo.push(none);
  assert.deepEqual([undo.canRedo(), undo.redo(two)], [false, null]);
  assert.deepEqual(undo.undo(two), none);
  assert.deepEqual(undo.redo(none), two);
});

/** Of one value at one block: the numbers of two units. */
const scene = (mean, facts = {}) => ({
  facts: { values: ["zero", "mean", "noise", "other"], pictures: 2, accuracy: null, ...facts },
  shapes: { mean_cls: [4, 1, 2] },
  ...Object.fromEntries(
    ["mean_cls", "spread_cls", "mean_patches", "spread_patches"].map((name) => [
      name,
      new Float32Array(8).fill(mean),
    ]),
  ),
});
const effects = (of, mean, facts) => ({
  of,
  heads: scene(mean, facts),
  blocks: scene(mean, facts),
});
const CELLS = [0, 1].map((unit) => ({
  place: `0.${unit}`,
  name: `head ${unit}`,
  block: 0,
  unit,
  heads: 2,
}));

test("the card of a part shows the numbers that there are now", () => {
  const { node, draw } = createScreeningCard();
  draw(null, CELLS, null);
  assert.ok(node.hidden);
  draw(effects("a", 0.25), [], null);
  assert.ok(node.hidden);
  draw(effects("a", 0.25), CELLS, "0.1");
  assert.ok(!node.hidden);
  assert.equal(node.querySelector("b").textContent, "head 1");
  assert.match(node.textContent, /n = 2 pictures/);
  assert.ok(node.querySelector("table").textContent.includes("0.250"));
  draw(effects("b", 0.75), CELLS, "0.1");
  assert.ok(node.querySelector("table").textContent.includes("0.750"), "of another picture");
  draw(effects("b", 0.75, { pictures: 1 }), CELLS, "gone");
  assert.equal(node.querySelector("b").textContent, "head 0", "the first where none is pointed at");
  assert.match(node.textContent, /n = 1 picture/);
  assert.ok(!node.textContent.includes("±"));
});
