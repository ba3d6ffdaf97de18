/* The parts of Training as somebody touches them: what is offered, hidden, said and sent. */
import "./small-document.js";
import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { createForm } from "../screens/training/form.js";
import { createTuning } from "../screens/training/form-fields.js";
import { presetSentence } from "../screens/training/form-sentences.js";
import { createNaming } from "../screens/training/naming.js";
import { createProgress } from "../screens/training/progress.js";

/** The field of a label. */
const fieldOf = (node, label) =>
  node.querySelectorAll("label").find((one) => one.querySelector("span")?.textContent === label);

const press = (node, text) =>
  node
    .querySelectorAll("button")
    .find((one) => one.textContent === text)
    .click();

const later = () => new Promise((resolve) => setImmediate(resolve));

test("blocks are asked for where the last blocks learn", () => {
  const { node, filled } = createTuning(),
    blocks = fieldOf(node, "Blocks");
  assert.ok(blocks.hidden);
  press(node, "Last blocks");
  assert.ok(!blocks.hidden);
  assert.deepEqual(filled(), { part: "blocks", blocks: 2, epochs: null });
  press(node, "Everything");
  assert.ok(blocks.hidden);
});

test("a preset that fits is named, and one that does not is sent to the command line", () => {
  const preset = { name: "tiny", words: "64 px", steps: 1 };
  assert.equal(presetSentence({ ...preset, fits: true }), "tiny: 64 px.");
  assert.match(presetSentence({ ...preset, fits: false }), /^Too large for this machine: 64 px\./);
  assert.equal(presetSentence(undefined), "");
});

test("who has no run of their own yet is shown how a model is distilled", () => {
  const fits = { name: "tiny", words: "w", steps: 5, fits: true };
  const answer = {
    models: [["preview_vits14", "Preview"]],
    galleries: [],
    presets: [fits],
    students: { features: [fits], paper: [fits] },
    experiments: [],
    runs: [],
  };
  for (const [runs, kind] of [
    [[], "distillation"],
    [[{ mine: false }], "distillation"],
    [[{ mine: false }, { mine: true }], "pretraining"],
  ]) {
    const form = createForm(() => {});
    form.offer({ ...answer, runs });
    assert.equal(form.exposed.kind, kind);
  }
});

const RUN = {
  title: "A run",
  state: "running",
  words: "Step 3 of 9.",
  notes: { name: "", pictures: "garden", note: "" },
  step: 3,
  steps: 9,
  kind: "pretraining",
  alive: true,
  seconds_left: 0,
  verdict: null,
  history: ["Mended."],
};

test("how a run is, and its verdict unless it says that itself", () => {
  const part = createProgress(),
    show = (change) => part.draw({ run: { ...RUN, ...change }, lines: [] });
  show({});
  assert.equal(part.top.querySelector("progress").value, 3 / 9);
  assert.ok(part.top.textContent.includes("garden"));
  assert.equal(part.mended.textContent, "Mended.");
  assert.ok(part.verdict.hidden);
  const verdict = { words: "It learns.", kind: "good" };
  show({ verdict });
  assert.deepEqual([part.verdict.hidden, part.verdict.textContent], [false, "It learns."]);
  assert.equal(part.verdict.dataset.kind, "good");
  show({ verdict, state: "finished", words: "Finished. It learns." });
  assert.ok(part.verdict.hidden, "said once");
  show({ steps: 0 });
  assert.equal(part.top.querySelector("progress").value, 0);
  part.asked("pause");
  assert.ok(part.top.textContent.includes("Asked to pause"));
});

test("a run's name and note: what somebody writes is not written over, and what fails is said", async () => {
  const sent = [],
    saved = mock.fn(async () => {});
  let status = 200;
  mock.method(globalThis, "fetch", async (url, options) => {
    sent.push([String(url), JSON.parse(options.body)]);
    return new Response(status === 200 ? "{}" : "Too long.", { status });
  });
  const part = createNaming(saved),
    notes = { name: "Birds", pictures: "", note: "few" },
    [name] = part.node.querySelectorAll("input"),
    problem = part.node.querySelector(".inside-problem");
  part.draw({ name: "a", mine: false, notes });
  assert.ok(part.node.hidden, "another visitor's");
  part.draw({ name: "a", mine: true, notes });
  assert.deepEqual([part.node.hidden, name.value], [false, "Birds"]);
  part.node.open = true;
  name.value = "Sparrows";
  part.draw({ name: "a", mine: true, notes });
  assert.equal(name.value, "Sparrows", "somebody is writing");
  status = 422;
  press(part.node, "Save");
  await later();
  await later();
  assert.deepEqual(
    [problem.hidden, problem.textContent, part.node.open],
    [false, "Too long.", true],
  );
  status = 200;
  press(part.node, "Save");
  await later();
  await later();
  assert.deepEqual(sent.at(-1), ["runs/a/notes", { name: "Sparrows", pictures: "", note: "few" }]);
  assert.deepEqual([saved.mock.callCount(), part.node.open, problem.hidden], [1, false, true]);
  part.node.open = true;
  part.draw({ name: "b", mine: true, notes });
  assert.deepEqual([name.value, part.node.open], ["Birds", false], "another run is opened");
  mock.restoreAll();
});
