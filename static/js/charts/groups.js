/* Colours of groups that have no order: the same in a map, its legend and a vote. */

/** @typedef {import("../settings.js").Rgb} Rgb */

/** @type {readonly Rgb[]} */
const TABLE = [
  [99, 102, 241],
  [217, 119, 6],
  [13, 148, 136],
  [219, 39, 119],
  [101, 163, 13],
  [2, 132, 199],
  [220, 38, 38],
  [147, 51, 234],
  [168, 96, 50],
  [100, 116, 139],
  [192, 38, 211],
  [6, 182, 212],
];

/** What has no group, or stands back. @type {Rgb} */
export const FAINT = [148, 163, 184];

/**
 * A table first, then hues a golden angle apart; negative: no group.
 *
 * @param {number} group
 * @returns {Rgb}
 */
export function groupColour(group) {
  if (group < 0) return FAINT;
  if (group < TABLE.length) return TABLE[group];
  const hue = (group * 137.508) % 360,
    light = 0.42 + 0.14 * (group % 2),
    chroma = 0.55 * Math.min(light, 1 - light);
  const channel = (/** @type {number} */ n) => {
    const k = (n + hue / 30) % 12;
    return Math.round(255 * (light - chroma * Math.max(-1, Math.min(k - 3, 9 - k, 1))));
  };
  return [channel(0), channel(8), channel(4)];
}
