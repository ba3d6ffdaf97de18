/* What can be taken from the screen: always of what it shows. */
import { NotShownYet } from "../../page/errors.js";
import { exportBar } from "../../page/export.js";
import { pictureFile } from "../../page/python.js";
import { sceneUrl } from "../../page/scenes.js";
import { el, penOf } from "../../ui/dom.js";
import { currentMask, isLoaded, stepNow } from "./state.js";

/** @typedef {import("./state.js").State} State */
/** @typedef {import("./state.js").Loaded} Loaded */

const SIDE = 448; // px of a picture of the sheet
const GAP = 16;

/**
 * @param {State} state
 * @param {readonly HTMLCanvasElement[]} canvases teacher, student, random
 */
export const createExports = (state, canvases) =>
  exportBar("masks", {
    png: () => sheet(loaded(state), canvases),
    npz: () => {
      const { shown, scene } = loaded(state),
        { seed, ratio } = scene.facts;
      return sceneUrl(shown.key, "masks", { seed, ratio, form: "npz" });
    },
    figure: (query) => {
      const { shown, scene } = loaded(state),
        { seed, ratio } = scene.facts;
      return sceneUrl(shown.key, "drawn/masks", { seed, ratio, ...query });
    },
    csv: () => blockTable(currentMask(loaded(state)).blocks),
    python: () => pythonLines(loaded(state)),
  });

/** @param {State} state */
function loaded(state) {
  if (!isLoaded(state)) throw new NotShownYet();
  return state;
}

/**
 * The three pictures side by side, the blocks on the student's.
 *
 * @param {Loaded} state
 * @param {readonly HTMLCanvasElement[]} canvases
 */
function sheet(state, canvases) {
  const [h, w] = state.scene.facts.grid,
    canvas = el("canvas", { width: 3 * SIDE + 4 * GAP, height: SIDE + 2 * GAP }),
    context = penOf(canvas);
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  canvases.forEach((picture, i) =>
    context.drawImage(picture, GAP + i * (SIDE + GAP), GAP, SIDE, SIDE),
  );
  context.font = "600 14px system-ui, sans-serif";
  context.strokeStyle = context.fillStyle = "#fff";
  context.lineWidth = 2;
  const shown = currentMask(state).blocks.slice(0, stepNow(state));
  shown.forEach(([top, left, height, width], i) => {
    const x = 2 * GAP + SIDE + (left * SIDE) / w,
      y = GAP + (top * SIDE) / h;
    context.strokeRect(x + 1, y + 1, (width * SIDE) / w - 2, (height * SIDE) / h - 2);
    context.fillText(String(i), x + 6, y + 18);
  });
  return canvas;
}

/** A line a block. @param {readonly (readonly number[])[]} blocks */
function blockTable(blocks) {
  let hidden = 0;
  const lines = blocks.map((block, i) => [i, ...block, (hidden += block[4])].join(","));
  return `${["block,top,left,height,width,new_patches,hidden_so_far", ...lines].join("\n")}\n`;
}

/** @param {Loaded} state */
function pythonLines({ shown, scene, member }) {
  const { grid, target, seed, batch_masks: all } = scene.facts,
    size = `(${grid.join(", ")})`,
    alone = member === null,
    random = alone ? "" : "\nfrom dino_core.masks import sample_random_mask";
  const ofBatch = `# The page goes on with the same generator: a random mask, then a batch.
sample_random_mask(${size}, mask.achieved, generator)
mask = sample_masks(${all.length}, ${size}, MaskConfig(), generator).block_masks[${member}]
`;
  return `import torch

from dino_core import open_picture, sample_block_mask, sample_crops${alone ? "" : ", sample_masks"}
from dino_core.config import CropConfig, MaskConfig${random}

picture = open_picture("${pictureFile(shown)}")
crop = sample_crops(picture, CropConfig(), torch.Generator().manual_seed(${seed}))[0]
generator = torch.Generator().manual_seed(${seed})
mask = sample_block_mask(${size}, ${target}, MaskConfig(), generator)
print(mask.mask.shape)  # bool [${grid.join(", ")}]
${alone ? "" : ofBatch}print(mask.target, mask.achieved, mask.rejected)
print(*mask.blocks, sep="\\n")`;
}
