/* What the patches of a picture add to a class's score: arithmetic of a prediction. */
import { signed } from "../../ui/format.js";

/** @typedef {Pick<import("../../types/scenes").predicting.PredictScene, "patches" | "facts">} Predicted */

/**
 * The shares of all patches in a class, their sum, and the largest size among them.
 *
 * @param {Predicted} scene
 * @param {number} chosen which of the named classes
 */
export function shares({ patches, facts: { grid } }, chosen) {
  const P = grid[0] * grid[1],
    values = patches.subarray(chosen * P, (chosen + 1) * P);
  let most = 0,
    total = 0;
  for (const value of values) {
    most = Math.max(most, Math.abs(value));
    total += value;
  }
  return { values, most, total };
}

/**
 * A patch's share in words.
 *
 * @param {Predicted} scene
 * @param {number} chosen
 * @param {number} row
 * @param {number} col
 */
export function shareOf(scene, chosen, row, col) {
  const { classes, grid } = scene.facts,
    value = shares(scene, chosen).values[row * grid[1] + col];
  const change = value < 0 ? `takes ${signed(-value, 4)} from` : `adds ${signed(value, 4)} to`;
  return `row ${row}, column ${col} ${change} ${classes[chosen]}`;
}
