/* The parts of Training as somebody touches them: what is offered, hidden, said and sent. */
import "./small-document.js";
import { slowServer } from "./slow-server.js";
import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { mount, openScreen } from "../page/screens.js";
import { createForm } from "../screens/training/form.js";
import { createTuning } from "../screens/training/form-fields.js";
import { presetSentence } from "../screens/training/form-sentences.js";
import { createConfusion } from "../screens/training/confusion.js";
import { createLayers } from "../screens/training/layers.js";
import { createNaming } from "../screens/training/naming.js";
import { createPredict } from "../screens/training/predict.js";
import { createProgress } from "../screens/training/progress.js";

/** The field of a label. */
const fieldOf = (node, label) =>
  node.querySelectorAll("label").find((one) => one.querySelector("span")?.textContent === label);

const press = (node, text) =>
  node
    .querySelectorAll("button")
    .find((one) => one.textContent === text)
    .click();

async function later() {
  for (let i = 0; i < 10; i++) await new Promise((resolve) => setImmediate(resolve));
}

openScreen("training");
mount("training", document.createElement("div"));

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
  assert.deepEqual(
    [problem.hidden, problem.textContent, part.node.open],
    [false, "Too long.", true],
  );
  status = 200;
  press(part.node, "Save");
  await later();
  assert.deepEqual(sent.at(-1), ["runs/a/notes", { name: "Sparrows", pictures: "", note: "few" }]);
  assert.deepEqual([saved.mock.callCount(), part.node.open, problem.hidden], [1, false, true]);
  part.node.open = true;
  part.draw({ name: "b", mine: true, notes });
  assert.deepEqual([name.value, part.node.open], ["Birds", false], "another run is opened");
  mock.restoreAll();
});

// ---------- answers that come late

const charts = (word) =>
  JSON.stringify({ confusion: { data: [word], layout: { meta: { title: word } } } });

test("the confusions are drawn in the colours of the page, also when these change on the way", async () => {
  const asked = slowServer(),
    drawn = [];
  globalThis.Plotly = { react: async (_place, data) => drawn.push(data[0]) };
  document.head.append = (script) => script.fire("load");
  const part = createConfusion(
    () => {},
    (work) => work(),
  );
  const report = { confusion: [[1]], classes: [{ name: "cat" }] },
    { body } = document;
  part.draw("a", report, null);
  const place = part.node.querySelector(".inside-plot");
  Object.assign(place, { offsetWidth: 100, on() {} });
  body.classList.add("dark");
  asked[0].says(charts("light"));
  await later();
  assert.deepEqual(drawn, [], "the page is dark now");
  body.classList.remove("dark");
  part.draw("b", { ...report }, null);
  Object.assign(part.node.querySelector(".inside-plot"), { offsetWidth: 100, on() {} });
  asked.at(-1).says(charts("of b"));
  await later();
  assert.equal(part.node.querySelector("caption") !== null, true);
  assert.deepEqual(drawn, ["of b"]);
  mock.restoreAll();
});

test("layers are asked for once a run, and another run's answer is not shown", async () => {
  const asked = slowServer(),
    part = createLayers((work) => work());
  part.draw("a", false);
  assert.deepEqual([asked.length, part.chart.hidden], [0, true]);
  part.draw("a", true);
  part.draw("b", true);
  assert.deepEqual(
    asked.map(({ url }) => url),
    ["runs/a/layers", "runs/b/layers"],
  );
  const facts = { kinds: ["cls"], methods: ["knn"], words: "Judged", complete: true };
  asked[0].says(probeOf(facts, 0.5));
  await later();
  assert.ok(part.chart.hidden, "b is open");
  asked[1].says(probeOf(facts, 0.75));
  await later();
  assert.deepEqual([part.chart.hidden, part.best.accuracy], [false, 0.75]);
  const count = asked.length;
  part.draw("b", true);
  assert.deepEqual([asked.length, part.chart.hidden], [count, false], "it is there, and stays");
  part.draw("c", false);
  assert.deepEqual([part.verdict.hidden, part.best], [true, null]);
  mock.restoreAll();
});

/** One layer, one classifier. */
function probeOf(facts, accuracy) {
  const arrays = Object.fromEntries(
      ["accuracy", "low", "high"].map((name, i) => [
        name,
        { dtype: "F32", shape: [1, 1, 1], data_offsets: [4 * i, 4 * i + 4] },
      ]),
    ),
    header = { __metadata__: { facts: JSON.stringify(facts) }, ...arrays },
    text = JSON.stringify(header),
    padded = text.padEnd(Math.ceil(text.length / 8) * 8),
    bytes = new TextEncoder().encode(padded),
    all = new Uint8Array(8 + bytes.length + 12);
  new DataView(all.buffer).setBigUint64(0, BigInt(bytes.length), true);
  all.set(bytes, 8);
  new Float32Array(all.buffer, 8 + bytes.length, 3).fill(accuracy);
  return all;
}

test("a picture that could not be asked about is asked about again", async () => {
  const asked = slowServer(),
    part = createPredict((work) => work()),
    run = { kind: "fine-tuning", report: true, pictures_shown: true, name: "a" },
    said = part.node.querySelector(".inside-note");
  part.look({ key: "k", sample: "cat.jpg" });
  assert.equal(asked.length, 0, "of which run?");
  part.draw({ ...run, pictures_shown: false });
  assert.deepEqual([asked.length, part.node.hidden], [0, true]);
  part.draw(run);
  part.draw(run);
  assert.equal(asked.length, 1, "it is on its way");
  assert.match(said.textContent, /it is being asked/);
  asked[0].says("Wait for the model.", 422);
  await later();
  assert.equal(said.textContent, "Wait for the model.");
  part.draw(run);
  assert.equal(asked.length, 2);
  part.draw({ ...run, name: "b" });
  asked[1].says("Too late.", 422);
  await later();
  assert.match(said.textContent, /it is being asked/, "of the run that is open");
  mock.restoreAll();
});

test("a kind of run asks for what it needs, and for nothing else", async () => {
  const sent = [],
    started = mock.fn();
  mock.method(globalThis, "fetch", async (url, options) => {
    sent.push(JSON.parse(options.body));
    return Response.json({ name: "run" });
  });
  const preset = { name: "tiny", words: "w", steps: 5, fits: true },
    goesOn = { ...preset, name: "continue", needs_weights: true },
    form = createForm(started);
  form.offer({
    ...{ models: [["m", "M"]], galleries: [], experiments: [], runs: [{ mine: true }] },
    presets: [preset, goesOn],
    students: { features: [preset], paper: [preset] },
  });
  const { node } = form,
    choose = (name) => {
      const list = node.querySelector('[aria-label="Preset"]');
      list.value = name;
      list.fire("change");
    },
    models = () => fieldOf(node, "Starts from") ?? fieldOf(node, "Teacher");
  assert.ok(models().hidden, "it begins with nothing");
  choose("continue");
  assert.ok(!models().hidden, "it goes on from weights");
  choose("tiny");
  press(node, "With labels");
  assert.deepEqual([models().hidden, fieldOf(node, "Blocks").hidden], [false, true]);
  press(node, "Without labels");
  assert.ok(models().hidden);
  node.querySelectorAll("button").at(-1).click();
  await later();
  assert.deepEqual(
    [sent[0].kind, sent[0].data, sent[0].preset, sent[0].steps, sent[0].seed],
    ["pretraining", "samples", "tiny", 5, 0],
  );
  assert.deepEqual(started.mock.calls[0].arguments, [{ name: "run" }]);
  mock.restoreAll();
});
