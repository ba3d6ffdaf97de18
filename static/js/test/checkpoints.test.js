/* What the page says and asks of a checkpoint, without a browser. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { answerAddress, choiceText } from "../page/checkpoint-question.js";
import { nameOf } from "../page/late.js";
import { isCheckpointFile } from "../page/picture-upload.js";
import { loadInPython, openInPython } from "../page/python.js";

const VIEW = { sample: "cat.jpg", model: "preview_vits14", patch_size: 14, short_side: 224 };

test("lines of Python open a model by its name, and a checkpoint by its file", () => {
  assert.equal(loadInPython(VIEW), 'load_backbone("preview_vits14")');
  const own = { ...VIEW, model: "checkpoint-12", weights: 'my "own".pth' };
  assert.equal(loadInPython(own), 'load_backbone(weights="my \\"own\\".pth")');
  assert.ok(openInPython(own).includes(`backbone = ${loadInPython(own)}\n`));
});

test("lines of Python say of a checkpoint what its visitor was asked", () => {
  const own = { model: "checkpoint-12", weights: "my.pth" };
  const opened = (/** @type {import("../types/page").View["said"]} */ said) =>
    loadInPython({ ...own, said });
  assert.equal(opened({ heads: "3" }), 'load_backbone(weights="my.pth", heads=3)');
  assert.equal(
    opened({ grid: "3x4", heads: "2", branch: "" }),
    'load_backbone(weights="my.pth", heads=2, grid=(3, 4), branch="")',
  );
});

test("a checkpoint goes by the name that its visitor gave it", () => {
  const view = { sample: "cat.jpg", size: 224, model: "checkpoint-12" };
  assert.equal(nameOf({ ...view, model_title: "my.pth" }), "cat.jpg at 224 px with my.pth");
  assert.equal(nameOf(view), "cat.jpg at 224 px with checkpoint-12");
});

test("files of weights are known by their endings", () => {
  for (const name of ["a.pth", "b.SafeTensors", "c.d.pt", "e.bin", "f.ckpt", "g.zip"])
    assert.ok(isCheckpointFile({ name }), name);
  for (const name of ["a.jpg", "pth", "b.pth.png", "c.tar"])
    assert.ok(!isCheckpointFile({ name }), name);
});

test("what is said of a checkpoint goes to the file that waits", () => {
  const question = { token: "12ab", what: "x", field: "branch", choices: ["a b", ""] };
  assert.equal(answerAddress(question, "a b"), "checkpoints/asked/12ab?field=branch&value=a+b");
  assert.deepEqual(question.choices.map(choiceText), ["a b", "the one without a name"]);
});
