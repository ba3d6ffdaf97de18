/* Questions about what the model makes of the picture: tokens, attention, features. What is right is
   computed from the scenes of the visitor's own picture, by the modules that draw the screens. */
import { fetchScene, sceneUrl } from "../../page/scenes.js";
import { selection } from "../../page/selection.js";
import {
  attend,
  firstPatch,
  meanOfHeads,
  strongest,
  tokenAt,
} from "../../screens/attention/attend.js";
import { cosines } from "../../screens/features/arithmetic.js";
import { featuresUrl, fetchFeatures, fetchPatches } from "../../screens/features/fetching.js";
import { best } from "../../screens/losses/arithmetic.js";
import { patchNorms, stepCount } from "../../screens/tokens/lengths.js";
import { addressOf } from "../../screens/whatif/loading.js";
import { SAMPLES } from "../../screens/whatif/references.js";
import { percent, short, signed, threeDigits } from "../../ui/format.js";
import { sum } from "../../ui/numbers.js";
import { among, apart, away, ordinal, rankOf } from "./distance.js";

/** @typedef {import("../../types/page").View} View */
/** @typedef {import("./kinds.js").Task} Task */
/** @typedef {import("./kinds.js").SlideTask} SlideTask */
/** @typedef {import("./kinds.js").PointTask} PointTask */
/** @typedef {import("./kinds.js").Patch} Patch */

/**
 * @param {Omit<SlideTask, "kind" | "tell">} slider
 * @returns {SlideTask}
 */
export const slideTask = (slider) => ({
  kind: "slide",
  ...slider,
  tell: (value) => apart(value, slider.truth, slider.format, slider.difference),
});

/**
 * A question about the patches of the open picture, each of which has a value.
 *
 * @param {View} view
 * @param {string} on
 * @param {{ values: ArrayLike<number>, truth: number, measure: (value: number) => string }} about
 * @returns {PointTask}
 */
function pointTask({ key, grid, input_size: size }, on, { values, truth, measure }) {
  const [, w] = grid,
    patch = /** @type {Patch} */ ([Math.floor(truth / w), truth % w]);
  return {
    kind: "point",
    on,
    url: sceneUrl(key, "input.jpg"),
    grid,
    size,
    truth: patch,
    tell: (said) => away(said, patch, ([row, col]) => measure(values[row * w + col])),
  };
}

/**
 * The colours of this picture as Features is set: the preset is the stop's, what else was changed the
 * visitor's.
 *
 * @param {View} view
 */
function coloursOf(view) {
  const root = /** @type {HTMLElement} */ (document.querySelector("[data-view=features]"));
  /** @type {Partial<import("../../screens/features/state.js").Colouring>} */
  const { preset, flip = false, changes = {} } = root.inside ?? {};
  const colouring = { preset: "paper", flip, changes: preset === "paper" ? changes : {} };
  return fetchFeatures(featuresUrl(view, layerOf(view), colouring));
}

/** The last layer, or the one that is selected. @param {View} view */
const layerOf = (view) => selection.layer ?? view.layers - 1;

/** @param {View} view @returns {Promise<import("../../types/scenes").attention.LayerScene>} */
const attentionOf = (view) => fetchScene(sceneUrl(view.key, `attention/${layerOf(view)}`));

/**
 * The picture before and after a head is switched off.
 *
 * @param {View} view
 * @param {number} layer
 * @param {number} head
 * @returns {Promise<import("../../types/scenes").whatif.WhatIfScene>}
 */
const withoutHead = (view, layer, head) =>
  fetchScene(
    addressOf({ view, texts: [`head:${layer}.${head}=zero`], reference: SAMPLES }, "", { layer }),
  );

/** @type {Record<string, (view: View) => Promise<Task>>} */
export const ON_PICTURE = {
  async "patch-count"({ grid: [h, w] }) {
    return slideTask({
      label: "Patches",
      low: 0,
      high: 2000,
      step: 4,
      format: (value) => `${Math.round(value)} patches`,
      truth: h * w,
    });
  },

  async "longest-patch"(view) {
    /** @type {import("../../types/scenes").tokens.BlocksScene} */
    const scene = await fetchScene(sceneUrl(view.key, "tokens/blocks"));
    const values = patchNorms(scene, Math.min(layerOf(view) + 1, stepCount(scene) - 1));
    return pointTask(view, ".inside-blocks .inside-picture", {
      values,
      truth: best(values),
      measure: (value) => `length ${threeDigits(value)}`,
    });
  },

  async "attends-most"(view) {
    const scene = await attentionOf(view),
      { row, col } = selection,
      first = firstPatch(scene),
      itself = tokenAt(scene, row, col) - first;
    const values = meanOfHeads(attend(scene, itself + first), scene.shapes.keys[0]).slice(first);
    const others = values.map((value, i) => (i === itself ? -1 : value));
    return pointTask(view, ".inside-attention .inside-picture", {
      values,
      truth: strongest(others, 0, others.length),
      measure: (value) => percent(value, 2),
    });
  },

  async "class-keeps"(view) {
    const scene = await attentionOf(view);
    const row = meanOfHeads(attend(scene, 0), scene.shapes.keys[0]);
    return slideTask({
      label: "Kept for itself",
      low: 0,
      high: 100,
      step: 1,
      format: (value) => `${value.toFixed(1)} %`,
      difference: (value) => `${value.toFixed(1)} points`,
      truth: 100 * row[0],
    });
  },

  async "farthest-head"(view) {
    /** @type {import("../../types/scenes").attention.HeadsScene} */
    const { distance } = await fetchScene(sceneUrl(view.key, `heads/${layerOf(view)}`));
    const truth = best(distance);
    return {
      kind: "choose",
      options: [...distance].map((_, value) => ({ value, label: `Head ${value}` })),
      truth,
      tell: (said) =>
        among(said, truth, {
          label: (head) => `head ${head}`,
          measure: (head) => `${distance[head].toFixed(0)} px on average`,
          rank: `the ${ordinal(rankOf(distance, said, true))} farthest`,
        }),
    };
  },

  async "head-matters"(view) {
    const last = view.layers - 1,
      heads = Array.from({ length: view.heads }, (_, head) => head);
    const scenes = await Promise.all(heads.map((head) => withoutHead(view, last, head)));
    const changes = scenes.map(({ facts }) => 1 - facts.cls_cosine),
      truth = best(changes);
    return {
      kind: "choose",
      options: heads.map((value) => ({ value, label: `Head ${value}` })),
      truth,
      tell: (said) =>
        among(said, truth, {
          label: (head) => `head ${head}`,
          measure: (head) => `1 − cosine ${short(changes[head])}`,
          rank: `the ${ordinal(rankOf(changes, said, true))} largest change of ${heads.length}`,
        }),
    };
  },

  async "foreground-share"(view) {
    const { foreground } = await coloursOf(view);
    return slideTask({
      label: "Object",
      low: 0,
      high: 100,
      step: 1,
      format: (value) => `${value.toFixed(1)} %`,
      difference: (value) => `${value.toFixed(1)} points`,
      truth: (100 * sum(foreground, 0, foreground.length)) / foreground.length,
    });
  },

  async "least-alike"(view) {
    const scene = await fetchPatches(view, layerOf(view)),
      { row, col } = selection,
      [, w] = view.grid;
    const values = cosines(scene, (row ?? 0) * w + (col ?? 0), scene);
    return pointTask(view, ".inside-way:not([hidden]) > .inside-left:last-child .inside-picture", {
      values,
      truth: best(values.map((value) => -value)),
      measure: (value) => `cosine ${signed(value)}`,
    });
  },
};
