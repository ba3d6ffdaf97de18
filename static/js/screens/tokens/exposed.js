/* What the screen shows, as tests read it, and as the lesson tells it. */
import { selection } from "../../page/selection.js";
import { threeDigits } from "../../ui/format.js";
import { longestAt, outliersAt, stepCount } from "./lengths.js";
import { placeOf, stepOf } from "./numbers.js";
import { countOf, heldOf } from "./state.js";

/** @typedef {import("./state.js").State} State */

/** @param {State} state */
export const exposed = (state) => ({
  key: heldOf(state)?.view.key,
  part: state.part,
  ...NUMBERS[state.part](state),
});

/** @type {Record<import("./state.js").PartName, (state: State) => object>} */
const NUMBERS = {
  patches: ({ patches, patchNumbers, kind }) => ({
    ...patchNumbers,
    norm: patches?.scene.embedding_norms[patchNumbers?.patch ?? 0],
    fits: patches?.scene.facts.fits,
    filters: patches && countOf(patches.scene, kind),
  }),
  positions: ({ positions, positionNumbers }) => ({
    ...positionNumbers,
    learnedGrid: positions?.scene.facts.learned_grid,
    effect: positions?.scene.facts.effect,
  }),
  blocks: ({ blockNumbers }) => ({ ...blockNumbers }),
};

/**
 * The numbers of the lesson that are of the page's picture.
 *
 * @param {State} state
 * @returns {import("../../page/lesson.js").LessonNumbers}
 */
export function lessonNumbers(state) {
  const { view, patches, blocks } = state;
  if (!view) return {};
  const [row, col] = placeOf(state, view.grid);
  return {
    who:
      selection.row === null ? "the patch in the middle" : `the patch in row ${row}, column ${col}`,
    ...(patches?.view.key === view.key ? ofPatch(patches.scene, row * view.grid[1] + col) : {}),
    ...(blocks?.view.key === view.key ? ofStep(state, blocks.scene) : {}),
  };
}

/** @param {import("./state.js").PatchesScene} scene @param {number} patch */
function ofPatch({ facts, shapes, embedding_norms: embeddings, position_norms: positions }, patch) {
  const p = facts.patch_size;
  return {
    p,
    P: facts.grid[0] * facts.grid[1],
    pixels: 3 * p * p,
    D: shapes.filters[0],
    learned: facts.learned_grid.join(" × "),
    embedding: embeddings[patch].toFixed(2),
    position: positions[patch].toFixed(2),
  };
}

/** @param {State} state @param {import("./state.js").BlocksScene} scene */
function ofStep(state, scene) {
  const step = stepOf(state, stepCount(scene));
  return {
    N: scene.shapes.norms[1],
    step: step === 0 ? "0, before the first block" : `${step}, after block ${step - 1}`,
    threshold: threeDigits(scene.threshold[step]),
    outliers: outliersAt(scene, step).length,
    longest: (longestAt(scene, step) / scene.median[step]).toFixed(2),
  };
}
