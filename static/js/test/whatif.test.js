/* Changes inside the model in words and in the link, the brush's patches, and what can be undone. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  editsFromLink,
  editsInLink,
  fits,
  nameOf,
  parse,
  patchesOf,
  wayBetween,
  whoText,
  withValue,
} from "../screens/whatif/edits.js";
import { pythonLines } from "../screens/whatif/exports.js";
import { lessonOf } from "../screens/whatif/lesson.js";
import { changeOf, effectsOf, levelOf, meanOfHeads, rangeOf } from "../screens/whatif/numbers.js";
import { referenceOf, referenceWords, sourceOf } from "../screens/whatif/references.js";
import { numbersOf, points } from "../screens/whatif/screening-card.js";
import { overFromLink, overInLink, overOf, overWords } from "../screens/whatif/screening-choice.js";
import { positionOf, temperatureAt } from "../screens/whatif/temperature.js";
import { createUndo } from "../screens/whatif/undo.js";

/** @typedef {import("../screens/whatif/edits.js").Edit} Edit */

/** @type {readonly [number, number]} */
const GRID = [4, 6];
const VIEW = { grid: GRID, layers: 12, heads: 6, registers: 0 };

test("a change is taken apart as the command line writes it", () => {
  assert.deepEqual(parse("head:8.3=mean"), {
    site: "head",
    first: 8,
    last: 8,
    unit: 3,
    who: null,
    whom: null,
    value: "mean",
  });
  const cut = parse("scores:6-11=cls;1,2!patches");
  assert.deepEqual([cut?.first, cut?.last, cut?.who, cut?.whom], [6, 11, "cls;1,2", "patches"]);
  for (const text of ["", "head", "head:8.3", "head 8=mean", "=mean"])
    assert.equal(parse(text), null);
});

test("what another model or picture does not have is known before it is asked for", () => {
  for (const text of [
    "head:11.5=zero",
    "neuron:0.1535=zero",
    "tokens:0[0-3,5]=mean",
    "positions=zero",
  ])
    assert.ok(fits(text, VIEW), text);
  for (const text of [
    "head:12.0=zero",
    "head:0.6=zero",
    "scores:11.6=temperature 2",
    "tokens:0[4,0]=mean",
    "tokens:0[0,5-6]=mean",
    "scores:0=cls!4,0",
    "registers=out",
    "tokens:0[registers]=zero",
  ])
    assert.ok(!fits(text, VIEW), text);
  assert.ok(fits("registers=out", { ...VIEW, registers: 4 }));
});

test("patches in words are read back as the same patches", () => {
  for (const patches of [
    [0],
    [5, 6],
    [0, 1, 2, 6, 7, 8, 12, 13, 14],
    [3, 8, 9, 10, 15, 23],
    [0, 6, 12, 18],
    Array.from({ length: 24 }, (_, i) => i),
  ]) {
    const text = whoText(patches, GRID);
    assert.deepEqual(
      [...patchesOf(text, GRID)].sort((a, b) => a - b),
      patches,
      text,
    );
  }
  assert.equal(whoText([7, 8, 13, 14, 4], GRID), "0,4;1-2,1-2");
  assert.equal(whoText([5, 6], GRID), "0,5;1,0", "the next row is no neighbour");
  assert.equal(patchesOf("patches", GRID).size, 24);
  assert.deepEqual([...patchesOf("cls;9,9", GRID)], []);
});

test("a fast pointer skips no patch", () => {
  assert.deepEqual(wayBetween([1, 1], [1, 1]), [
    [1, 1],
    [1, 1],
  ]);
  assert.deepEqual(
    wayBetween([0, 0], [0, 3]).map(([, col]) => col),
    [0, 1, 2, 3],
  );
  assert.deepEqual(wayBetween([3, 0], [0, 3]), [
    [3, 0],
    [2, 1],
    [1, 2],
    [0, 3],
  ]);
});

test("a change as a person says it", () => {
  /** @type {[string, string][]} */
  const said = [
    ["head:8.3=mean", "Head 3, block 8 → its mean"],
    ["attention:5=zero", "Attention, block 5 → zero"],
    ["mlp:0-7=noise", "MLP, blocks 0 to 7 → noise"],
    ["tokens:0[3-5,4-9]=other", "18 patches entering block 0 → another picture’s"],
    ["scores:11.2=temperature 0.5", "Scores of head 2, block 11 → temperature 0.5"],
    ["scores:6-11=cls!patches", "Blocks 6 to 11: class token ⇥ all patches"],
    ["registers=out", "Registers → left out"],
    ["neuron:4.120=zero", "Unit 120 of block 4 → zero"],
  ];
  for (const [text, words] of said) assert.equal(nameOf(text), words);
  assert.equal(withValue("head:8.3=mean", "zero"), "head:8.3=zero");
});

test("the link brings the changes back, also those that do not hold", () => {
  /** @type {Edit[]} */
  const edits = [
    { text: "scores:6-11=cls!patches", on: true },
    { text: "head:8.3=mean", on: false },
  ];
  const word = editsInLink(edits);
  const query = new URLSearchParams(new URLSearchParams({ whatif: word ?? "" }).toString());
  assert.deepEqual(editsFromLink(query.get("whatif")), edits);
  assert.equal(editsInLink([]), null);
  assert.deepEqual(editsFromLink(null), []);
  assert.deepEqual(editsFromLink("nonsense*head:1.1=zero"), [{ text: "head:1.1=zero", on: true }]);
  assert.equal(editsFromLink("mlp:1=zero*".repeat(1000)).length, 64, "no more than are taken");
});

test("undone and done again, a stroke as one step", () => {
  const undo = createUndo(),
    lists = ["a", "b", "c", "d"].map((text) => [{ text, on: true }]);
  undo.push(lists[0]);
  undo.push(lists[1], "slider");
  undo.push(lists[2], "slider"); // goes on with the step before
  assert.equal(undo.undo(lists[3]), lists[1]);
  assert.equal(undo.undo(lists[1]), lists[0]);
  assert.equal(undo.undo(lists[0]), null);
  assert.equal(undo.redo(lists[0]), lists[1]);
  assert.equal(undo.redo(lists[1]), lists[3]);
  assert.equal(undo.redo(lists[3]), null);
  undo.undo(lists[3]);
  undo.push(lists[1]);
  assert.ok(!undo.canRedo(), "another change ends what could be done again");
});

test("numbers of before and after", () => {
  assert.deepEqual([...meanOfHeads(Float32Array.of(1, 2, 3, 6), 2)], [2, 4]);
  const change = changeOf({ patch_cosine: Float32Array.of(1, 0.5, 1.5, -1) });
  assert.deepEqual([...change], [0, 0.5, 0, 2]);
  for (let at = -20; at <= 20; at++) assert.equal(positionOf(temperatureAt(at)), at);
  assert.equal(temperatureAt(0), 1);
  assert.equal(temperatureAt(-20), 0.1);
});

test("the colours of a screening: which value, and from where to where", () => {
  const scene = /** @type {import("../types/scenes").whatif_screening.ScreeningScene} */ (
    /** @type {unknown} */ ({
      facts: { values: ["zero", "mean"] },
      shapes: { mean_cls: [2, 2, 3] },
      mean_cls: Float32Array.from({ length: 12 }, (_, i) => i),
      mean_patches: Float32Array.from({ length: 12 }, (_, i) => 10 * i),
      shock_cls: Float32Array.of(-6, 1, 1, 1, 1, 1),
      shock_patches: null,
    })
  );
  assert.deepEqual([...effectsOf(scene, { of: "cls", value: "mean" })], [6, 7, 8, 9, 10, 11]);
  assert.deepEqual(
    [...effectsOf(scene, { of: "patches", value: "zero" })],
    [0, 10, 20, 30, 40, 50],
  );
  const shock = effectsOf(scene, { of: "cls", value: "shock" });
  assert.deepEqual(rangeOf(shock, true), [-6, 6]);
  assert.deepEqual([...effectsOf(scene, { of: "patches", value: "shock" })], [0, 0, 0, 0, 0, 0]);
  assert.deepEqual(rangeOf(Float32Array.of(0.5, 2), false), [0, 2]);
  assert.deepEqual(
    [-6, 0, 6].map((value) => levelOf(value, [-6, 6], true)),
    [0, 128, 255],
  );
  assert.equal(levelOf(0, rangeOf(Float32Array.of(0, 0), true), true), 128, "no change anywhere");
  assert.equal(levelOf(0, [0, 0], false), 0);
});

test("the numbers of one part: mean, spread and k-NN of each value", () => {
  const counted = (/** @type {number} */ from) =>
    Float32Array.from({ length: 12 }, (_, i) => from + i);
  const scene = /** @type {import("../types/scenes").whatif_screening.ScreeningScene} */ (
    /** @type {unknown} */ ({
      facts: { values: ["zero", "mean"], accuracy: 0.75 },
      shapes: { mean_cls: [2, 2, 3] },
      mean_cls: counted(0),
      spread_cls: counted(100),
      mean_patches: counted(200),
      spread_patches: counted(300),
      accuracy_change: counted(0).map((value) => -value / 16),
    })
  );
  const found = numbersOf(scene, { block: 1, unit: 2 }, "mean");
  assert.deepEqual(found, { cls: [11, 111], patches: [211, 311], accuracy: [0.0625, -0.6875] });
  const colouring = /** @type {const} */ ({ of: "accuracy", value: "zero" });
  assert.equal(effectsOf(scene, colouring)[5], -5 / 16);
  assert.equal(effectsOf(scene, { ...colouring, value: "shock" })[5], 6 / 16);
  const without = { ...scene, accuracy_change: undefined };
  assert.equal(numbersOf(without, { block: 0, unit: 0 }, "zero").accuracy, null);
  assert.deepEqual([-0.0625, 0.125, 0].map(points), ["−6.3", "+12.5", "±0.0"]);
});

test("which pictures: the reference, and those that are screened", () => {
  const around = {
    pair: null,
    galleries: [],
    references: /** @type {[string, string, number][]} */ ([
      ["samples", "The samples", 8],
      ["abc", "Holiday", 64],
    ]),
  };
  assert.equal(referenceOf({ around, reference: "abc" }), "abc");
  assert.equal(referenceOf({ around, reference: "of somebody else" }), "samples");
  assert.equal(referenceWords({ around }, "abc"), "Holiday (64 pictures)");
  assert.equal(referenceWords({ around: null }, "samples"), "the samples (8 pictures)");
  assert.equal(sourceOf(["head:1.0=zero"], "x"), "", "zero is taken from no picture");
  assert.match(
    sourceOf(["mlp:0=other", "mlp:1=noise"], "x (3 pictures)"),
    /^Means and noise are .*x/,
  );
  assert.match(sourceOf(["mlp:0=other"], "x"), /^The other picture/);
  assert.deepEqual(overFromLink(overInLink({ name: "abc", most: 32 })), { name: "abc", most: 32 });
  assert.deepEqual(overFromLink("abc 1000000"), { name: "abc", most: 8 });
  assert.equal(overInLink(overFromLink(null)), null);
  const over = { name: "abc", most: 16 };
  assert.equal(overWords({ around, over }, 16), "16 pictures of Holiday");
  assert.equal(overOf({ around, over: { ...over, name: "gone" } }).name, "");
  assert.equal(overOf({ around: null, over }).name, "abc", "before it is known");
});

/** What is shown after two changes, one of which does nearly all. @returns {any} */
function shownAfterTwo() {
  const facts = { grid: [1, 2], cls_cosine: 0.9, patch_cosine_mean: 0.75, layer: 11 };
  return {
    view: { model: "vits14", model_title: "", size: 224, sample: "cat.jpg", seed: 5 },
    texts: ["head:8.3=zero", "mlp:2=mean"],
    reference: "samples",
    scene: { facts, patch_cosine: new Float32Array([1, 0.5]) },
    alone: [0.0625, 0.125],
    four: [["zero", { facts: { cls_cosine: 0.5 } }]],
  };
}

test("the lesson adds up what each change does alone beside what they do together", () => {
  const shown = shownAfterTwo(),
    numbers = lessonOf(/** @type {any} */ ({ shown, around: null }));
  assert.equal(numbers.alone, "0.063, 0.125");
  assert.equal(numbers.sum, (0.0625 + 0.125).toFixed(3));
  assert.equal(numbers.both, "0.100");
  assert.deepEqual([numbers.place, numbers.most], ["row 0, column 1", "0.500"]);
  assert.deepEqual([numbers.zero, numbers.mean], ["0.500", ""]);
  const one = { ...shown, texts: ["head:8.3=zero"], alone: [] };
  assert.equal(lessonOf(/** @type {any} */ ({ shown: one, around: null })).sum, "");
});

test("the lines of Python take their values from the set that is shown", () => {
  const shown = shownAfterTwo();
  assert.match(
    pythonLines(shown),
    /sources_of\(backbone, seen, changes, seed=5\) {2}# the samples/,
  );
  const lines = pythonLines({ ...shown, reference: "abc" });
  assert.match(lines, /import reference_pictures\n/);
  assert.match(lines, /pictures = reference_pictures\("galleries\/again"\)/);
  assert.match(lines, /seed=5, pictures=pictures\)/);
});
