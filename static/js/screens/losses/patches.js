/* Global crop 0 with the loss of its masked patches, and what is said of one of them. */
import { keep } from "../../page/link.js";
import { flatten, paintRgb } from "../../ui/canvas.js";
import { colourTable } from "../../ui/colours.js";
import { el, penOf } from "../../ui/dom.js";
import { keyHints, keysSentence } from "../../ui/key-hints.js";
import { legend } from "../../ui/legend.js";
import { PatchPicture } from "../../ui/patch-picture.js";
import { agreements, best, maskedIndex, maskedPlaces } from "./arithmetic.js";
import { createAnswers } from "./answers.js";
import { paintPatchExample } from "./examples.js";
import { nats, uniformLoss } from "./format.js";

/** @typedef {import("./state.js").State} State */
/** @typedef {import("./state.js").Loaded} Loaded */
/** @typedef {import("./state.js").LossesScene} LossesScene */
/** @typedef {import("./arithmetic.js").Patch} Patch */

/** @type {import("../../ui/key-hints.js").KeyHints} */
const KEYS = [
  ["arrows", "move from patch to patch"],
  ["Escape", "lets go"],
];
const OPAQUE = 217; // of 255: how much of a masked patch its colour covers

/**
 * The masked patch that the numbers are about: the one that is pointed at, else the one that is kept,
 * else the one that costs most.
 *
 * @param {Loaded} state
 */
export function patchOf({ scene, under, patch }) {
  const at = under ?? patch ?? costliest(scene),
    asked = [at, patch].find((one) => one && indexOf(scene, one) >= 0),
    told = asked ?? costliest(scene);
  return { at, told, visible: indexOf(scene, at) < 0, m: indexOf(scene, told) };
}

/** @param {LossesScene} scene @param {Patch} patch */
const indexOf = (scene, [row, col]) => maskedIndex(scene.mask, row * scene.facts.grid[1] + col);

/** @param {LossesScene} scene @returns {Patch} */
function costliest(scene) {
  const place = maskedPlaces(scene.mask)[best(scene.ibot)],
    [, w] = scene.facts.grid;
  return [Math.floor(place / w), place % w];
}

/**
 * What teacher and student find likeliest of one masked patch, and for how many they agree.
 *
 * @param {LossesScene} scene
 * @param {number} m
 */
export function patchAnswers(scene, m) {
  const C = scene.patch_columns.length,
    teacher = scene.teacher_patches.subarray(m * C, (m + 1) * C),
    student = scene.student_patches.subarray(m * C, (m + 1) * C);
  return {
    columns: scene.patch_columns,
    teacher,
    student,
    first: scene.patch_columns[best(teacher)],
    guess: scene.patch_columns[best(student)],
    same: agreements(scene.teacher_patches, scene.student_patches, C),
  };
}

/**
 * @param {State} state
 * @param {(change: Partial<State>) => void} update
 */
export function createPatchMap(state, update) {
  /** @param {Patch | null} patch */
  const pin = (patch) => {
    keep("patch", patch?.join(".") ?? null);
    update({ patch });
  };
  let pressed = false; // a second click lets go; an arrow against the edge does not
  const picture = new PatchPicture({
    label: `Global crop 0; masked patches show their loss. ${keysSentence(KEYS)}.`,
    from: () =>
      state.patch ?? (state.scene ? costliest(state.scene) : /** @type {const} */ ([null, null])),
    onhover: (row, col) => update({ under: [row, col] }),
    onleave: () => update({ under: null }),
    onpin: (row, col) => {
      const [r, c] = state.patch ?? [];
      pin(pressed && r === row && c === col ? null : [row, col]);
      pressed = false;
    },
    onkey: (key) => {
      if (key !== "Escape") return false;
      pin(null);
      return true;
    },
    describe: (row, col) => patchLabel(state, row, col),
  });
  picture.node.addEventListener("pointerdown", () => {
    pressed = true;
  });
  const scale = el("div"),
    crop = el("canvas");
  return {
    node: el("div", { class: "inside-stack" }, picture.node, scale),
    keys: keyHints(KEYS),
    png: () => flatten(picture.picture, picture.overlay, 0.85),

    /** @param {LossesScene} scene */
    build(scene) {
      const [h, w] = scene.facts.grid,
        { size } = scene.facts.crops[0],
        range = /** @type {const} */ ([Math.min(...scene.ibot), Math.max(...scene.ibot)]);
      paintRgb(crop, scene["pixels.0"], size, size);
      picture.show(crop.toDataURL(), [h, w], [w, h]);
      paintLosses(picture.overlay, scene, range);
      const [low, high] = range.map((value) => value.toFixed(2)),
        uniform = uniformLoss(scene, 1).toFixed(2);
      scale.replaceChildren(legend("magma", low, `${high} nats; uniform: ln K = ${uniform}`));
    },

    /** @param {Loaded} loaded */
    draw(loaded) {
      picture.mark(...patchOf(loaded).at, !loaded.under && loaded.patch !== null);
    },
  };
}

/**
 * The words beside the pointer.
 *
 * @param {State} state
 * @param {number} row
 * @param {number} col
 */
function patchLabel({ scene }, row, col) {
  if (!scene) return null;
  const m = indexOf(scene, [row, col]);
  return `row ${row}, column ${col}\n${m < 0 ? "visible: nothing is asked" : nats(scene.ibot[m])}`;
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {LossesScene} scene
 * @param {readonly [number, number]} range
 */
function paintLosses(canvas, scene, [low, high]) {
  [canvas.height, canvas.width] = scene.facts.grid;
  const context = penOf(canvas),
    image = context.createImageData(canvas.width, canvas.height),
    table = colourTable("magma");
  maskedPlaces(scene.mask).forEach((at, m) => {
    const level = 3 * Math.round((255 * (scene.ibot[m] - low)) / Math.max(high - low, 1e-9));
    image.data.set([table[level], table[level + 1], table[level + 2], OPAQUE], 4 * at);
  });
  context.putImageData(image, 0, 0);
}

export function createPatchAnswers() {
  const panel = createAnswers(),
    { title, bars, caption, facts } = panel;
  return {
    caption,
    node: panel.node,

    /** @param {Loaded} state */
    draw(state) {
      const { scene } = state,
        { told, visible, m } = patchOf(state),
        answers = patchAnswers(scene, m),
        { first, guess, same } = answers;
      title.textContent = `What they say of row ${told[0]}, column ${told[1]}`;
      bars.draw({ ...answers, prototypes: scene.facts.prototypes[1] }, (node, which) =>
        paintPatchExample(node, state, which),
      );
      const agreement =
        first === guess
          ? `Both find #${first} the likeliest.`
          : `The teacher, who sees the patch, finds #${first} the likeliest; the student, who ` +
            `does not, #${guess}.`;
      caption.textContent =
        (visible
          ? "The student sees this patch: nothing is asked. "
          : `${nats(scene.ibot[m])}. ${agreement} `) +
        `The student's first guess is the teacher's for ${same} of ${scene.ibot.length} masked patches.`;
      facts.textContent =
        `The target's own entropy is ${nats(scene.patch_entropy[m])}; ` +
        `${nats(scene.ibot[m] - scene.patch_entropy[m])} are the distance to it. ` +
        "Beside each prototype: the patches of other pictures to which the teacher gives it most.";
    },
  };
}
