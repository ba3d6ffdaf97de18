/* The arithmetic of the walk through the blocks: lengths of tokens, updates, outliers. */
import { maximum, sum } from "../../ui/numbers.js";

/** @typedef {import("../../types/scenes").tokens.BlocksScene} BlocksScene */

/** Index of the first patch among the tokens. @param {BlocksScene} scene */
export const firstPatch = (scene) => 1 + scene.facts.registers;

/** How many patches there are. @param {BlocksScene} scene */
export const patchCount = ({ facts }) => facts.grid[0] * facts.grid[1];

/** How many steps the walk has. @param {BlocksScene} scene */
export const stepCount = (scene) => scene.shapes.norms[0];

/** @param {BlocksScene} scene @param {number} step @param {number} token */
export const normOf = (scene, step, token) => scene.norms[step * scene.shapes.norms[1] + token];

/** Lengths of all patches at a step, [P]. @param {BlocksScene} scene @param {number} step */
export function patchNorms(scene, step) {
  const at = step * scene.shapes.norms[1] + firstPatch(scene);
  return scene.norms.subarray(at, at + patchCount(scene));
}

/** The patches that are longer than the step's threshold. @param {BlocksScene} scene @param {number} step */
export function outliersAt(scene, step) {
  const found = [],
    lengths = patchNorms(scene, step);
  for (let patch = 0; patch < lengths.length; patch++)
    if (lengths[patch] > scene.threshold[step]) found.push(patch);
  return found;
}

/** The longest patch of a step. @param {BlocksScene} scene @param {number} step */
export const longestAt = (scene, step) => maximum(patchNorms(scene, step), 0, patchCount(scene));

/** Mean length of the patches as they enter the first block. @param {BlocksScene} scene */
export const meanLength = (scene) =>
  sum(scene.norms, firstPatch(scene), patchCount(scene)) / patchCount(scene);

/**
 * What attention and the MLP of a block add to the mean patch, as a share of what enters; null before
 * the first block.
 *
 * @param {BlocksScene} scene
 * @param {number} step
 * @returns {[number | null, number | null]}
 */
export function meanUpdates(scene, step) {
  if (step === 0) return [null, null];
  const [, , N] = scene.shapes.updates,
    P = patchCount(scene);
  const of = (/** @type {number} */ branch) =>
    sum(scene.updates, (2 * (step - 1) + branch) * N + firstPatch(scene), P) / P;
  return [of(0), of(1)];
}
