/* The blocks of a mask on the crop, step by step; and crops of a step in their colours. */
import "./small-document.js";
import assert from "node:assert/strict";
import { test } from "node:test";
import { createPicture } from "../screens/masks/picture.js";
import { thumbnail } from "../screens/step/crops.js";

const BLOCKS = [
  [0, 0, 2, 2, 4],
  [1, 1, 1, 3, 2],
  [2, 0, 1, 1, 1],
];

test("as many blocks are drawn as steps were made, and the newest stands out", () => {
  const scene = {
      facts: { grid: [3, 4], blocks: BLOCKS },
      shapes: { pixels: [2, 2, 3] },
      pixels: new Uint8Array(12),
      random_mask: new Uint8Array(12),
    },
    state = { scene, shown: {}, member: null, step: null },
    part = createPicture(state, () => {});
  part.open(state);
  part.build(state);
  const blocks = part.node.querySelectorAll(".block"),
    seen = (step) => {
      part.draw({ ...state, step });
      return blocks.map((one) =>
        one.classList.contains("newest") ? 2 : Number(one.classList.contains("on")),
      );
    };
  assert.deepEqual(seen(0), [0, 0, 0]);
  assert.deepEqual(seen(1), [2, 0, 0]);
  assert.deepEqual(seen(3), [1, 1, 2]);
  assert.deepEqual(seen(null), [1, 1, 2], "all of them");
  const edge = blocks[1].querySelector(".edge");
  assert.deepEqual(
    ["x", "y", "width", "height"].map((name) => edge.getAttribute(name)),
    ["1", "1", "3", "1"],
  );
  assert.equal(blocks[1].querySelector(".fresh").getAttribute("d"), "M2 1h1v1h-1zM3 1h1v1h-1z");
  assert.equal(blocks[1].textContent, "1+2");
  assert.equal(part.node.style.aspectRatio, "4 / 3");
  const lines = part.node.querySelector(".lines").getAttribute("d");
  assert.deepEqual([lines.match(/V3/g).length, lines.match(/H4/g).length], [3, 2]);
});

test("each crop of a step has its own pixels and its own colour", () => {
  const scene = {
    facts: {
      crops: [{ size: 1 }, { size: 2 }],
      colours: [
        [1, 2, 3],
        [4, 5, 6],
      ],
    },
    "pixels.0": Uint8Array.from([9, 9, 9]),
    "pixels.1": new Uint8Array(12).fill(7),
  };
  const [one, two] = [0, 1].map((index) => thumbnail(scene, index));
  assert.deepEqual([one.width, two.width], [1, 2]);
  assert.deepEqual([one.style.borderColor, two.style.borderColor], ["rgb(1,2,3)", "rgb(4,5,6)"]);
  assert.equal(two.told.at(-1)[1].data[0], 7);
});
