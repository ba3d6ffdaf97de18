/* How this screen writes its numbers. */

/** With a true minus. @param {number} value */
export const signed = (value, digits = 2) => value.toFixed(digits).replace("-", "−");

/** @param {number} value */
export const nats = (value) => `${signed(value)} nats`;

/**
 * What a uniform answer of a head pays.
 *
 * @param {import("./state.js").LossesScene} scene
 * @param {0 | 1} head of class tokens, of patches
 */
export const uniformLoss = (scene, head) => Math.log(scene.facts.prototypes[head]);
