/* What the welcome shows. */

/** @typedef {import("../../types/scenes").welcome.WelcomeScene} WelcomeScene */

/**
 * @typedef {object} State
 * @property {WelcomeScene | null} scene
 * @property {Float32Array} vectors [P, width] short directions of length 1
 * @property {readonly [number, number] | null} pointed row and column under the pointer
 * @property {readonly [number, number] | null} kept that was clicked, or moved to by a key
 */

/** @param {(state: State) => void} render */
export function createState(render) {
  /** @type {State} */
  const state = { scene: null, vectors: new Float32Array(0), pointed: null, kept: null };
  return {
    state,
    /** @param {Partial<State>} change */
    update(change) {
      Object.assign(state, change);
      render(state);
    },
  };
}

/** The patch that all others are compared with; null: the colours are shown. @param {State} state */
export const chosen = ({ pointed, kept }) => pointed ?? kept;

/**
 * What is shown, in a line. @param {WelcomeScene} scene
 * @param {readonly [number, number] | null} patch
 */
export function caption({ facts }, patch) {
  const [h, w] = facts.grid;
  if (patch) return `How alike all patches are to the one in row ${patch[0]}, column ${patch[1]}`;
  return `${h} × ${w} patches at ${facts.short_side} px, in the colours of three components`;
}
