/* What can be taken from the screen: always of what it shows. */
import { NotShownYet } from "../../page/errors.js";
import { exportBar } from "../../page/export.js";
import { pictureFile } from "../../page/python.js";
import { GLOBALS, isCounted, maskedPlaces, pairAt } from "./arithmetic.js";

/** @typedef {import("./state.js").Loaded} Loaded */

/**
 * @param {import("./state.js").State} state
 * @param {object} sources
 * @param {() => HTMLCanvasElement} sources.png
 * @param {ReturnType<typeof import("./loading.js").createLoading>["npz"]} sources.npz
 */
export const createExports = (state, { png, npz }) =>
  exportBar("losses", {
    png,
    npz: () => {
      const { view, options } = shown(state);
      return npz(view, options);
    },
    csv: () => lossTable(shown(state)),
    python: () => pythonLines(shown(state)),
  });

/** @param {import("./state.js").State} state */
function shown(state) {
  if (!state.scene || !state.view) throw new NotShownYet();
  return /** @type {Loaded} */ (state);
}

/** A line a pair of crops, then a line a masked patch. @param {Pick<Loaded, "scene">} state */
function lossTable({ scene }) {
  const { crops, grid } = scene.facts;
  const pairs = Array.from({ length: crops.length * GLOBALS }, (_, i) => {
    const [s, t] = pairAt(i),
      kind = isCounted([s, t]) ? "dino" : "dino (not counted)";
    return [kind, crops[s].name, crops[t].name, scene.dino[i]].join(",");
  });
  const patches = maskedPlaces(scene.mask).map((at, m) => {
    const name = `patch ${Math.floor(at / grid[1])} ${at % grid[1]}`;
    return ["ibot", name, name, scene.ibot[m]].join(",");
  });
  return `${["kind,student,teacher,cross_entropy", ...pairs, ...patches].join("\n")}\n`;
}

/** @param {Loaded} state */
function pythonLines({ scene, view }) {
  const { file, own_crops: own, references, ...facts } = scene.facts;
  return `from dataclasses import replace

from dino_core import open_picture
${own ? "" : "from dino_core.config import CropConfig\n"}from dino_core.runs.progress import open_pair
from dino_core.step.loss_inspection import break_down, picture_logits, reference_batch

pair, config, _ = open_pair("${file}")
crops = ${own ? "config.crops" : "CropConfig()"}
own = picture_logits(pair, config, open_picture("${pictureFile(view)}"), ${view.seed}, crops=crops)
others = ${JSON.stringify(references.map((one) => one.file))}
pictures = [open_picture(f"static/samples/{name}") for name in others]
reference = reference_batch(pair, config, pictures, crops)
loss = replace(config.loss, centering="${facts.targets_by}", student_temperature=${facts.student_temperature})
parts = break_down(own, reference, loss, ${facts.temperature})
print(parts.terms)
print(parts.dino)  # [student crop, teacher view], in nats`;
}
