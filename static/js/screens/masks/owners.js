/* Which block hides which patch. */

/** @typedef {readonly (readonly number[])[]} Blocks top, left, height, width, new patches each */
/** @typedef {readonly [number, number]} Grid */

/**
 * Which block hid each patch first, its number and one more, [h * w]; 0 where it is visible.
 *
 * @param {Blocks} blocks
 * @param {Grid} grid
 */
export function ownersOf(blocks, [h, w]) {
  const owner = new Uint16Array(h * w);
  blocks.forEach(([top, left, height, width], i) => {
    for (let row = top; row < top + height; row++)
      for (let col = left; col < left + width; col++) owner[row * w + col] ||= i + 1;
  });
  return owner;
}

/**
 * The patches that each block hid first, and where its label stands: on the one that is nearest to the
 * block's middle, so that no two collide.
 *
 * @param {Blocks} blocks
 * @param {Grid} grid
 * @returns {{ own: [number, number][], label: [number, number] }[]}
 */
export function ownPatches(blocks, grid) {
  const owners = ownersOf(blocks, grid),
    [, w] = grid;
  return blocks.map(([top, left, height, width], i) => {
    /** @type {[number, number][]} */
    const own = [];
    owners.forEach((by, patch) => {
      if (by === i + 1) own.push([Math.floor(patch / w), patch % w]);
    });
    const fromMiddle = (/** @type {[number, number]} */ [row, col]) =>
      Math.hypot(row + 0.5 - top - height / 2, col + 0.5 - left - width / 2);
    const label = own.reduce((best, patch) =>
      fromMiddle(patch) < fromMiddle(best) ? patch : best,
    );
    return { own, label };
  });
}

/** How many patches are hidden. @param {Uint16Array} owners */
export const hiddenCount = (owners) => owners.reduce((sum, by) => sum + (by ? 1 : 0), 0);
