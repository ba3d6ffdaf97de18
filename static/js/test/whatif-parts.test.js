/* The parts of What if as somebody touches them: what the brush holds, and the numbers of one part. */
import "./small-document.js";
import assert from "node:assert/strict";
import { test } from "node:test";
import { select } from "../page/selection.js";
import { createLoading } from "../screens/whatif/loading.js";
import { createResults } from "../screens/whatif/results.js";
import { createPrototypes } from "../screens/whatif/says.js";
import { createScreeningCard } from "../screens/whatif/screening-card.js";
import { brushed, createStrokes, heldBy } from "../screens/whatif/strokes.js";
import { createEditing } from "../screens/whatif/state.js";
import { createUndo } from "../screens/whatif/undo.js";
import { settings } from "../settings.js";

for (const name of ["magma", "blue-red"])
  settings.colours[name] = Array.from({ length: 256 }, (_, i) => [i, 0, 0]);

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

test("attention before and after is shown in one scale, of the head that is chosen", () => {
  const state = { shown: null, hovered: null, reference: "samples", references: [] },
    { node, panels, draw } = createResults(state, () => {});
  // Two heads over 1 x 2 patches.
  const of = (...values) => Float32Array.from(values);
  state.shown = {
    view: { grid: [1, 2], input_size: [28, 14] },
    reference: "samples",
    texts: [],
    scene: {
      facts: {
        ...{ grid: [1, 2], heads: 2, note: "", layer: 1, cls_cosine: 1, patch_cosine_mean: 1 },
        entry: 0,
      },
      shapes: { cls_cosine_by_layer: [2] },
      attention_before: of(0.2, 0.1, 0.4, 0.4),
      attention_after: of(0.05, 0.4, 0.4, 0.2),
      colours_before: new Uint8Array(6),
      colours_after: new Uint8Array(6),
      patch_cosine: of(1, 0.5),
    },
  };
  const painted = (panel) => {
    const image = panel.picture.overlay.told.findLast(([name]) => name === "putImageData")[1];
    return [image.data[0], image.data[4]];
  };
  select({ head: 0, row: 0, col: 1 });
  draw();
  assert.deepEqual(painted(panels.attentionBefore), [128, 64], "half of the largest of both");
  assert.deepEqual(painted(panels.attentionAfter), [32, 255]);
  assert.deepEqual(painted(panels.change), [0, 255]);
  assert.match(node.textContent, /Nothing is changed/);
  assert.equal(panels.change.picture.marker.style.transform, "translate(100%, 0%)");
  select({ head: null });
  draw();
  assert.deepEqual(painted(panels.attentionBefore), [255, 212], "the mean: 0.3 and 0.25 of 0.3");
});

test("the likeliest prototypes before and after, and what they cost", () => {
  const { node, draw } = createPrototypes();
  draw({ shown: null });
  assert.ok(node.hidden);
  const prototypes = {
    shapes: { prototypes: [2, 2] },
    prototypes: Uint16Array.from([7, 3, 11, 5]),
    probabilities: Float32Array.from([0.5, 0.25, 0.75, 0.125]),
    facts: { title: "Of the pair", dino: [1.5, 2.5], ibot: null },
  };
  draw({ shown: { prototypes } });
  assert.ok(!node.hidden);
  const rows = node
    .querySelectorAll("tbody tr")
    .map((row) => row.children.map((one) => one.textContent));
  assert.deepEqual(rows, [
    ["1", "7  50.0 %", "11  75.0 %"],
    ["2", "3  25.0 %", "5  12.5 %"],
    ["DINO", "1.500 nats", "2.500 nats"],
  ]);
  draw({ shown: { prototypes: { ...prototypes, facts: { ...prototypes.facts, ibot: [3, 4] } } } });
  assert.match(node.textContent, /iBOT, all patches3\.000 nats4\.000 nats/);
});

test("what comes late belongs to the changes it was asked for, and to no later ones", async (t) => {
  const shown = (text) => ({ view: { key: "k", seed: 0 }, texts: [text], reference: "samples" });
  const rest = { charts: null, prototypes: {}, nearest: {}, alone: [], four: [], beside: null };
  const state = { isFour: false, around: null, aroundOf: "k", other: "", edits: [] };
  state.shown = { ...shown("head:1.1=zero"), scene: {}, ...rest };
  let answer;
  t.mock.method(globalThis, "fetch", () => new Promise((resolve) => (answer = resolve)));
  const loading = createLoading(
    state,
    (change) => Object.assign(state, change),
    document.createElement("div"),
    (work) => work(),
  );
  const asked = loading.more();
  await new Promise(setImmediate);
  state.shown = { ...shown("head:2.2=zero"), scene: {}, ...rest };
  answer(Response.json({ of: "head 1.1" }));
  await asked;
  assert.equal(state.shown.charts, null);
});
