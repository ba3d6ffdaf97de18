/* The grid of layers and heads, without a browser: what it is of, and which cell is chosen. */
import "./small-document.js";
import assert from "node:assert/strict";
import { test } from "node:test";
import { select } from "../page/selection.js";
import { createOverview } from "../screens/attention/overview.js";
import { createPicture } from "../screens/attention/picture.js";
import { settings } from "../settings.js";

settings.colours.magma = Array.from({ length: 256 }, (_, i) => [i, 0, 0]);

/** 2 layers of 2 heads over 1 x 2 patches, of a patch or (-1) the class token. */
const scene = (row, column) => ({
  facts: { row, column },
  shapes: { rows: [2, 2, 1, 2] },
  rows: Float32Array.from({ length: 8 }, (_, i) => i),
  entropy: [0.1, 0.2, 0.3, 0.4],
});
const CLASS = { row: null, col: null };

test("the grid says which query it is of, and that it is late", () => {
  const part = createOverview(),
    [title, grid] = part.node.children;
  part.draw(scene(-1, -1), CLASS);
  assert.match(title.textContent, /^The class token|^Class token/);
  const isLate = () => grid.classList.contains("inside-late");
  assert.ok(!isLate());
  part.draw(scene(0, 1), { row: 0, col: 1 });
  assert.match(title.textContent, /row 0, column 1/i);
  assert.equal(grid.getAttribute("aria-label"), title.textContent);
  assert.ok(!isLate());
  for (const query of [{ row: 0, col: 0 }, { row: 1, col: 1 }, CLASS]) {
    part.draw(scene(0, 1), query);
    assert.ok(isLate(), JSON.stringify(query));
  }
});

test("each cell is a map of its own layer and head, and chooses them", () => {
  const part = createOverview();
  select({ layer: 0, head: null });
  part.draw(scene(-1, -1), CLASS);
  const buttons = part.node.querySelectorAll("button"),
    here = () => buttons.map((button) => Number(button.classList.contains("here")));
  assert.deepEqual(
    buttons.map((button) => button.title),
    [
      "Layer 0, head 0, entropy 0.10 nats",
      "Layer 0, head 1, entropy 0.20 nats",
      "Layer 1, head 0, entropy 0.30 nats",
      "Layer 1, head 1, entropy 0.40 nats",
    ],
  );
  assert.deepEqual(here(), [1, 1, 0, 0], "the mean of the heads is of all of them");
  buttons[3].click();
  part.draw(scene(-1, -1), CLASS);
  assert.deepEqual(here(), [0, 0, 0, 1]);
});

test("a map reaches to its own largest weight", () => {
  const state = { ends: false, target: null, held: false, hovered: null, strength: 0.5 },
    { node, draw } = createPicture(state, () => {});
  // One layer of 2 heads over the class token and 1 x 2 patches.
  const loaded = {
    ...state,
    scene: { facts: { grid: [1, 2], registers: 0 }, shapes: { keys: [2, 3, 4] } },
    rows: Float32Array.from([0.2, 0.8, 0, 0.9, 0.025, 0.075]),
    mean: Float32Array.from([0.5, 0.4, 0.1]),
  };
  const painted = () => {
    const [, image] = node
      .querySelector(".inside-overlay")
      .told.findLast(([name]) => name === "putImageData");
    return [image.data[0], image.data[4]];
  };
  for (const [head, red] of [
    [0, [255, 0]],
    [1, [85, 255]],
    [null, [255, 64]],
  ]) {
    select({ layer: 0, head, row: null, col: null });
    draw(loaded);
    assert.deepEqual(painted(), red, `head ${head}`);
  }
  assert.equal(node.querySelector(".inside-overlay").style.opacity, "0.5");
});

test("a target that is held stays where it is", async () => {
  const asked = [],
    state = { ends: true, target: [0, 0], held: true, hovered: null, strength: 1 },
    { node } = createPicture(state, (change) => asked.push(change)),
    picture = node.querySelector(".inside-picture"),
    frame = () => new Promise((resolve) => setTimeout(resolve, 5));
  picture.box = { left: 0, top: 0, width: 10, height: 10 };
  const point = async () => {
    picture.fire("pointermove", { clientX: 5, clientY: 5 });
    await frame();
    return asked.at(-1);
  };
  assert.equal(await point(), undefined);
  state.held = false;
  assert.deepEqual(await point(), { target: [0, 0] });
  state.ends = false;
  assert.deepEqual(await point(), { hovered: [0, 0] });
  picture.fire("pointerleave");
  await frame();
  assert.equal(asked.length, 2, "nothing was hovered");
});
