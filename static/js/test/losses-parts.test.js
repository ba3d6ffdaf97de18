/* What of the losses can be set, the neighbours of KoLeo, and places on the sheet of other pictures. */
import "./small-document.js";
import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { createControls } from "../screens/losses/controls.js";
import { paintCropExample, paintPatchExample } from "../screens/losses/examples.js";
import { createNeighbours } from "../screens/losses/neighbours.js";

test("other heads are asked for as they were trained", () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const onchange = mock.fn(),
    { node, more, offer, draw } = createControls(onchange),
    last = () => onchange.mock.calls.at(-1).arguments[0],
    [heads] = node.querySelectorAll("select");
  const pairs = ["a", "b"].map((name) => ({ name, title: name.toUpperCase() }));
  offer(pairs, "b");
  assert.equal(heads.value, "b");
  heads.value = "a";
  heads.fire("change");
  assert.deepEqual(last(), {
    ...{ pair: "a", targets: null, temperature: null, studentTemperature: null },
  });
  for (const [where, label, name, value] of [
    [node, "Teacher temperature", "temperature", 0.07],
    [more, "Student temperature", "studentTemperature", 0.2],
  ]) {
    const input = where.querySelector(`[aria-label="${label}"]`);
    input.value = value;
    input.fire("input");
    mock.timers.tick(100);
    assert.deepEqual(last(), { [name]: value });
  }
  const facts = {
    ...{
      recipe: {},
      own_crops: true,
      prototypes: [64, 32],
      title: "A",
      targets_by: "sinkhorn_knopp",
    },
    ...{ temperature: 0.05, student_temperature: 0.15 },
  };
  draw({ scene: { facts }, options: { pair: "a" }, view: { model: "m" } });
  assert.equal(node.querySelector('[aria-label="Teacher temperature"]').value, "0.05");
  assert.equal(more.querySelector('[aria-label="Student temperature"]').value, "0.15");
  assert.match(node.textContent, /A: 64 prototypes for class tokens, 32 for patches/);
  assert.equal(heads.options.length, 2, "those that were offered");
  const alone = createControls(onchange);
  for (let i = 0; i < 2; i++)
    alone.draw({ scene: { facts }, options: { pair: "a" }, view: { model: "m" } });
  const [only] = alone.node.querySelectorAll("select");
  assert.deepEqual([only.options.length, only.value], [1, "a"], "before the server has said more");
  mock.timers.reset();
});

const reference = (title, column, ...distances) => ({ title, column, distances });
const references = [reference("Cat", 0, 0.5, 0.9), reference("Dog", 1, 0.7, 0.2)];

test("each global crop has its own nearest neighbour, and costs what that is", () => {
  const { node, build } = createNeighbours();
  build({ facts: { references, koleo: [0.693, 1.609], weights: { koleo: 0.1 } } });
  assert.match(node.textContent, /−ln 0\.500 = \+?0\.69\d* and −ln 0\.200 = \+?1\.6\d*/);
  assert.ok(!node.textContent.includes("without KoLeo"));
  build({ facts: { references, koleo: [0, 0], weights: { koleo: 0 } } });
  assert.match(node.textContent, /trained without KoLeo/);
});

test("a prototype's examples are cut out of the sheet where they lie", () => {
  const scene = {
    facts: { references, grid: [4, 4], crops: [{ size: 56 }], columns_of_sheet: 2 },
    shapes: { examples: [3, 2, 2], patch_examples: [3, 2, 2] },
    // place 1, example 1: the dog's second crop; of it the patch in row 2, column 1
    examples: Uint16Array.from([0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0]),
    patch_examples: Uint16Array.from([0, 0, 0, 0, 0, 0, 1, 16 + 9, 0, 0, 0, 0]),
  };
  const state = { scene, sheet: "sheet.jpg" },
    node = document.createElement("i");
  paintCropExample(node, state, { place: 1, example: 1 });
  assert.equal(node.title, "Dog, global 1");
  const whole = 38 / 56;
  assert.equal(node.style.backgroundPosition, `${-56 * whole}px ${-56 * whole}px`);
  paintPatchExample(node, state, { place: 1, example: 1 });
  assert.equal(node.title, "Dog, global 1, row 2, column 1, and what is around it");
  const zoom = 38 / 42; // three patches of 14 px, from row 1 and column 0 on
  assert.equal(node.style.backgroundPosition, `${-56 * zoom}px ${-(56 + 14) * zoom}px`);
  assert.equal(node.style.backgroundImage, 'url("sheet.jpg")');
});
