/* What the training screen computes and says, without a browser. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { cellAfter } from "../charts/cells.js";
import {
  experimentsSentence,
  leftOutSentences,
  picturesSentence,
  sourcesOf,
  whyNotStart,
  withSwitch,
} from "../screens/training/form-sentences.js";
import { duration, nameOfMoment } from "../screens/training/format.js";
import { hasPoints } from "../screens/training/points.js";
import { namesIn, questionOf } from "../ui/picture-choice.js";
import {
  attentionOf,
  coloursSentence,
  homeOf,
  momentAt,
  namesInAll,
  newestOf,
  partOf,
  recognisedSentence,
  spreadOf,
  stepsOf,
} from "../screens/training/probe.js";
import { aboutMistakes, cellSentence, mistakesIn } from "../screens/training/sentences.js";

const zip = (classes, more = {}) => ({
  name: "pets.zip",
  token: "t",
  bytes: 1,
  pictures: 5,
  divided: false,
  left_out: 0,
  aside: {},
  choice: { include: [], exclude: [], stretch: false },
  notes: [],
  classes,
  ...more,
});
const preset = {
  name: "tiny",
  words: "small",
  steps: 1,
  batch: 1,
  needs_weights: false,
  fits: true,
};

test("a run cannot start, and the form says why", () => {
  const filled = { kind: "fine-tuning", zip: null, preset, busy: false };
  assert.match(whyNotStart(filled), /upload a zip/);
  assert.match(whyNotStart({ ...filled, zip: zip({}) }), /no labels/);
  assert.match(whyNotStart({ ...filled, zip: zip({ cats: 5 }) }), /single class/);
  assert.equal(whyNotStart({ ...filled, zip: zip({ cats: 2, dogs: 3 }) }), "");
  const plain = { ...filled, kind: "pretraining" };
  assert.equal(whyNotStart(plain), "");
  assert.match(whyNotStart({ ...plain, busy: true }), /moment/);
  assert.match(whyNotStart({ ...plain, preset: { ...preset, fits: false } }), /needs GPUs/);
  assert.notEqual(whyNotStart({ ...plain, preset: undefined }), "");
});

test("a distillation starts from the samples, and says what it learns from them", () => {
  const filled = { kind: "distillation", zip: null, preset, recipe: "features", busy: false };
  assert.equal(whyNotStart(filled), "");
  assert.match(whyNotStart({ ...filled, preset: { ...preset, fits: false } }), /needs GPUs/);
  assert.match(picturesSentence(filled), /frozen teacher does/);
  assert.match(picturesSentence({ ...filled, recipe: "paper" }), /too few to learn from/);
});

test("the slider follows the student, and the teacher is its last stop", () => {
  assert.equal(newestOf(["step-00000000", "step-00000010"]), 1);
  assert.equal(newestOf(["step-00000000", "step-00000010", "teacher"]), 1);
  assert.equal(newestOf(["teacher"]), 0);
  assert.equal(newestOf([]), 0);
});

test("pictures are counted with their classes, and what is left out is counted and named", () => {
  const many = Object.fromEntries([..."abcdefgh"].map((name) => [name, 1]));
  const words = (classes) => picturesSentence({ kind: "fine-tuning", zip: zip(classes) });
  assert.equal(words({ cats: 2, dogs: 3 }), "pets.zip: 5 pictures in 2 classes: cats 2, dogs 3.");
  assert.match(words(many), /in 8 classes: a 1, .*f 1, …\.$/);
  assert.equal(words({}), "pets.zip: 5 pictures, without labels.");
  const notes = ["notes.txt is no picture."];
  assert.deepEqual(leftOutSentences(zip({}, { left_out: 1, notes })), [
    "Not used: 1 file.",
    ...notes,
  ]);
  assert.deepEqual(leftOutSentences(zip({})), []);
  assert.deepEqual(leftOutSentences(null), []);
});

test("what a run can learn from: the samples, a zip that was sent, and those of galleries", () => {
  const galleries = [{ name: "g", title: "birds.zip", pictures: 9 }];
  assert.deepEqual(sourcesOf("pretraining", [], null), [["", "The samples"]]);
  assert.deepEqual(sourcesOf("distillation", galleries, zip({})).slice(1), [
    ["t", "pets.zip"],
    ["g", "birds.zip, of Many pictures (9)"],
  ]);
  assert.match(sourcesOf("fine-tuning", galleries, null)[0][1], /labels are needed/);
});

test("folders that were passed over are asked about", () => {
  const choice = { include: [], exclude: [], stretch: false };
  assert.equal(
    questionOf({ aside: { masks: 1, labels: 12 }, choice }),
    "Passed over: masks (1 file), labels (12 files). Take them?",
  );
  assert.equal(questionOf({ aside: {}, choice }), "Which pictures");
  for (const change of [{ include: ["masks"] }, { exclude: ["a"] }, { stretch: true }])
    assert.match(questionOf({ aside: {}, choice: { ...choice, ...change } }), /chosen by you/);
  assert.deepEqual(namesIn(" masks, *_small.jpg,,masks , "), ["masks", "*_small.jpg"]);
  assert.deepEqual(namesIn("  "), []);
});

test("times and checkpoints in words", () => {
  assert.deepEqual([59.6, 90, 5399, 5400].map(duration), ["60 s", "2 min", "90 min", "1.5 h"]);
  assert.equal(nameOfMoment("step-00000020"), "step 20");
  assert.equal(nameOfMoment("before"), "before");
  assert.equal(nameOfMoment(undefined), "");
});

test("a chart without points has nothing to show", () => {
  assert.ok(!hasPoints([{ y: [] }, { y: [null, null] }]));
  assert.ok(hasPoints([{ y: [] }, { y: [null, 0] }]));
});

test("attention of a head, and of the mean of all, of one of several pictures", () => {
  const scene = {
    facts: { grid: [1, 2], heads: 2 },
    attention: Float32Array.of(9, 9, 9, 9, 0.25, 0.75, 0.75, 0.25),
  };
  assert.deepEqual([...attentionOf(scene, 1, 0)], [0.25, 0.75]);
  assert.deepEqual([...attentionOf(scene, 1, 1)], [0.75, 0.25]);
  assert.deepEqual([...attentionOf(scene, 1, null)], [0.5, 0.5]);
  assert.deepEqual([...partOf(Uint8Array.of(1, 2, 3, 4, 5, 6), 1, 3)], [4, 5, 6]);
});

test("values are spread over as many places as share them evenly", () => {
  assert.ok(Math.abs(spreadOf([2, 2, 2, 2, 0]) - 4) < 1e-9);
  assert.ok(Math.abs(spreadOf([0, 5]) - 1) < 1e-9);
});

const mistake = (truth, predicted) => ({ true: truth, predicted });
const report = {
  classes: [{ name: "cat" }, { name: "dog" }],
  confusion: [
    [3, 0],
    [2, 6],
  ],
  mistakes: [mistake("dog", "cat")],
};

test("arrows walk from cell to cell and stay inside", () => {
  const cells = [
    [0, 0, 0],
    [0, 0, 0],
  ];
  assert.deepEqual(cellAfter("ArrowDown", null, cells), [0, 0]);
  assert.deepEqual(cellAfter("ArrowDown", [0, 2], cells), [1, 2]);
  assert.deepEqual(cellAfter("ArrowDown", [1, 2], cells), [1, 2]);
  assert.deepEqual(cellAfter("ArrowRight", [1, 2], cells), [1, 2]);
  assert.deepEqual(cellAfter("ArrowLeft", [1, 2], cells), [1, 1]);
  assert.deepEqual(cellAfter("ArrowUp", [1, 2], cells), [0, 2]);
  assert.equal(cellAfter("a", [0, 0], cells), null);
  assert.equal(cellAfter("ArrowUp", null, []), null);
});

test("a cell opens the mistakes of its truth and its prediction", () => {
  assert.equal(cellSentence(report, [1, 0]), "dog taken for cat: 2 of 8 (25.0 %).");
  assert.deepEqual(mistakesIn(report, [1, 0]), report.mistakes);
  assert.deepEqual(mistakesIn(report, [0, 1]), []);
  assert.deepEqual(mistakesIn(report, null), report.mistakes);
});

test("what stands above the pictures says which they are", () => {
  assert.equal(aboutMistakes(report, null, true), "");
  assert.match(aboutMistakes(report, null, false), /belong to the visitor/);
  assert.match(aboutMistakes(report, [1, 0], true), /25.0 %\)\. The surest 1 of them:$/);
  assert.match(aboutMistakes(report, [1, 0], false), /25.0 %\)\. The pictures belong/);
  assert.match(aboutMistakes(report, [1, 1], true), /75.0 %\)\. They are right/);
  assert.equal(aboutMistakes(report, [0, 1], true), "cat taken for dog: 0 of 3 (0.0 %).");
  assert.match(aboutMistakes({ ...report, mistakes: [] }, [1, 0], true), /^None/);
});

test("a switch takes the place of those that it excludes, and the fold names what is switched", () => {
  const offered = [
    { name: "student", title: "Teacher = student", words: "", excludes: ["frozen"] },
    { name: "frozen", title: "Teacher frozen", words: "", excludes: ["student"] },
    { name: "koleo", title: "No KoLeo", words: "", excludes: [] },
  ];
  assert.deepEqual(withSwitch(["koleo"], "student", true, offered), ["student", "koleo"]);
  assert.deepEqual(withSwitch(["student", "koleo"], "frozen", true, offered), ["frozen", "koleo"]);
  assert.deepEqual(withSwitch(["frozen", "koleo"], "frozen", false, offered), ["koleo"]);
  assert.deepEqual(withSwitch(["student"], "frozen", false, offered), ["student"]);
  assert.equal(experimentsSentence([], offered), "Experiment");
  assert.equal(
    experimentsSentence(["koleo", "student"], offered),
    "Experiment: Teacher = student, No KoLeo",
  );
});

test("runs that are looked at together are each shown at what they had reached by a step", () => {
  const one = ["step-00000000", "step-00000100", "step-00000200"],
    other = ["step-00000050", "step-00000200", "teacher"];
  assert.deepEqual(stepsOf([...one, ...other]), [0, 50, 100, 200]);
  assert.equal(momentAt(one, 150), "step-00000100");
  assert.equal(momentAt(one, 200), "step-00000200");
  assert.equal(momentAt(other, 0), "step-00000050", "its first, where it had none yet");
  const home = homeOf([{ name: "a", title: "A", moments: other, mended: 1 }]);
  assert.deepEqual(home, { name: "a", mended: 1, moment: "step-00000200" });
  const scenes = [
    ["cat", "dog"],
    ["dog", "cat", "owl"],
  ].map((names) => ({ facts: { names } }));
  assert.deepEqual(namesInAll(scenes), ["cat", "dog"]);
  assert.deepEqual(namesInAll([...scenes, { facts: { names: ["owl"] } }]), []);
});

test("the colours of a checkpoint say whose they are", () => {
  const at = (moment, home) => ({ moment, home });
  assert.match(coloursSentence(at("step-00000100", "step-00000400"), false), /colours of step 400/);
  assert.match(coloursSentence(at("step-00000400", "step-00000400"), false), /its own PCA/);
  assert.match(coloursSentence(at("step-00000100", ""), false), /older run/);
  assert.match(coloursSentence(at("step-00000100", ""), true), /what the student says/);
  assert.match(coloursSentence(at("teacher", ""), true), /what it says itself/);
});

test("k-NN over pieces is said of the moment that is shown", () => {
  const at = (step, cls) => ({
    step,
    piece_knn: { cls, teacher: 96.875, chance: 12.5, pictures: 8 },
  });
  const lines = [at(0, 40.625), { step: 20, loss: 1 }, at(20, 70), { step: 21, loss: 1 }];
  assert.match(
    recognisedSentence(lines, "step-00000000"),
    /which of 8 pictures .* 40\.6 % of them/,
  );
  assert.match(recognisedSentence(lines, "step-00000020"), /70\.0 %.*chance is 12\.5 %/);
  assert.match(recognisedSentence(lines, "teacher"), /96\.9 %/);
  assert.equal(recognisedSentence(lines, "step-00000040"), "");
  assert.equal(recognisedSentence([{ step: 0, knn: { cls: 9 } }], "step-00000000"), "");
  assert.equal(recognisedSentence([], "teacher"), "");
});
