/* What can be taken from the screen: always of what it shows. */
import { NotShownYet } from "../../page/errors.js";
import { exportBar } from "../../page/export.js";
import { pictureFile } from "../../page/python.js";
import { sceneUrl } from "../../page/scenes.js";
import { el, penOf } from "../../ui/dom.js";
import { colourOf, isLoaded } from "./state.js";
import { nameOf } from "./sentences.js";

/** @typedef {import("./state.js").State} State */
/** @typedef {import("./state.js").Loaded} Loaded */
/** @typedef {import("./state.js").Crop} Crop */

/**
 * @param {State} state
 * @param {HTMLImageElement} picture
 * @param {() => readonly HTMLCanvasElement[]} canvases of the crops
 */
export const createExports = (state, picture, canvases) =>
  exportBar("crops", {
    png: () => sheet(loaded(state), picture, canvases()),
    npz: () => {
      const { shown, query } = loaded(state);
      return sceneUrl(shown.key, "crops", { ...query, form: "npz" });
    },
    figure: (paper) => {
      const { shown, query } = loaded(state);
      return sceneUrl(shown.key, "drawn/crops", { ...query, ...paper });
    },
    csv: () => cropTable(loaded(state).scene.facts.crops),
    python: () => pythonLines(loaded(state)),
  });

/** @param {State} state */
function loaded(state) {
  if (!isLoaded(state)) throw new NotShownYet();
  return state;
}

// ---------- the picture with its boxes, and the crops beside it

const WIDE = 640; // px of the picture
const SIDE = 224; // of a global crop
const GAP = 16;
const SMALL = (2 * SIDE + GAP - 3 * GAP) / 4; // of a local crop, four in a row

/** @param {Loaded} state @param {HTMLImageElement} picture @param {readonly HTMLCanvasElement[]} canvases */
function sheet({ scene }, picture, canvases) {
  const { crops, picture_size: size } = scene.facts,
    [W, H] = size,
    scale = WIDE / W,
    rows = Math.ceil((crops.length - 2) / 4);
  const canvas = el("canvas", {
    width: WIDE + 4 * GAP + 2 * SIDE,
    height: Math.round(2 * GAP + Math.max(H * scale, SIDE + rows * (SMALL + GAP))),
  });
  const context = penOf(canvas);
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(picture, GAP, GAP, WIDE, H * scale);
  context.lineWidth = 3;
  crops.forEach((crop, i) => {
    const [x0, y0, x1, y1] = crop.box.map((value) => value * scale),
      { x, y, side } = placeOnSheet(crop);
    context.strokeStyle = colourOf(scene, i);
    context.strokeRect(GAP + x0, GAP + y0, x1 - x0, y1 - y0);
    context.drawImage(canvases[i], x, y, side, side);
    context.strokeRect(x + 1.5, y + 1.5, side - 3, side - 3);
  });
  return canvas;
}

/** @param {Crop} crop */
function placeOnSheet({ kind, index }) {
  const left = WIDE + 2 * GAP;
  if (kind === "global") return { x: left + index * (SIDE + GAP), y: GAP, side: SIDE };
  return {
    x: left + (index % 4) * (SMALL + GAP),
    y: 2 * GAP + SIDE + Math.floor(index / 4) * (SMALL + GAP),
    side: SMALL,
  };
}

// ---------- a table

/** What each operation is told by; null: that it fired. */
const STRENGTHS = /** @type {const} */ ({
  brightness: "factor",
  contrast: "factor",
  saturation: "factor",
  hue: "shift",
  grey: null,
  blur: "sigma",
  solarize: "threshold",
});

/** One line a crop; an operation that did not fire leaves its place empty. @param {readonly Crop[]} crops */
function cropTable(crops) {
  const head = ["crop", "x0", "y0", "x1", "y1", "area_fraction", "aspect", "size", "flip"];
  const lines = crops.map((crop) => {
    const strengths = Object.entries(STRENGTHS).map(([name, key]) => {
      const operation = crop.operations.find((one) => one.name === name);
      return operation ? (key ? operation[key] : 1) : "";
    });
    const order = crop.operations.map(({ name }) => name).join(" ");
    return [
      nameOf(crop),
      ...crop.box,
      crop.area_fraction,
      crop.aspect,
      crop.size,
      Number(crop.flipped),
      ...strengths,
      order,
    ];
  });
  const rows = [[...head, ...Object.keys(STRENGTHS), "order"], ...lines];
  return `${rows.map((row) => row.join(",")).join("\n")}\n`;
}

// ---------- Python

const LIBRARY_LOCAL_SIZE = 98; // px: the library's choice, for patches of 14 px

/**
 * The same crops with the library: only what differs from its own choice is spelt out.
 *
 * @param {Loaded} state
 */
function pythonLines({ scene, shown }) {
  const { config, official, blur, seed } = scene.facts,
    named = blur === "as run" ? "BLUR_AS_RUN" : "BLUR_AS_WRITTEN",
    fields = [`blur_probability=${named}`];
  for (const field of /** @type {const} */ (["global_scale", "local_scale"]))
    if (String(config[field]) !== String(official[field]))
      fields.push(`${field}=(${config[field].join(", ")})`);
  for (const field of /** @type {const} */ (["global_size", "local_size", "local_count"])) {
    const own = field === "local_size" ? LIBRARY_LOCAL_SIZE : official[field];
    if (config[field] !== own) fields.push(`${field}=${config[field]}`);
  }
  return `import torch

from dino_core import open_picture, sample_crops
from dino_core.config import ${named}, CropConfig

picture = open_picture("${pictureFile(shown)}")
config = CropConfig(${fields.join(", ")})
crops = sample_crops(picture, config, torch.Generator().manual_seed(${seed}))
for crop in crops:  # crop.pixels is uint8 [size, size, 3]
    print(crop.kind, crop.index, crop.box, crop.flipped, *crop.operations)`;
}
