/* How a crop is chosen, by whatever part. */

/**
 * @param {import("./state.js").State} state
 * @param {import("./state.js").Update} update
 */
export const createChoosing = (state, update) => ({
  hover(/** @type {number | null} */ hovered) {
    if (state.hovered !== hovered || state.pair) update({ hovered, pair: null });
  },
  /** Keeps a crop; lets go of the one that is kept. */
  pin: (/** @type {number | null} */ crop) =>
    update({ pinned: crop === state.pinned ? null : crop }),
});
