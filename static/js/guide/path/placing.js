/* Where the card of a stop stands: beside what it is about, wherever there is room. No page here. */

/** @typedef {{ left: number, top: number, width: number, height: number }} Box px in the window */
/** @typedef {{ left: number, top: number, side: "right" | "left" | "below" | "above" | "bottom" }} Place */

const GAP = 18; // px between the part and the card
export const EDGE = 12; // px between the card and the edge of the window

/** @param {number} value @param {number} low @param {number} high */
const between = (value, low, high) => Math.max(low, Math.min(value, high));

/**
 * @param {Box} part
 * @param {{ width: number, height: number }} card
 * @param {{ width: number, height: number, top: number }} room the window; above `top` lies the strip
 * @returns {Place}
 */
export function placeCard(part, card, room) {
  const right = part.left + part.width + GAP,
    left = part.left - GAP - card.width,
    below = part.top + part.height + GAP,
    above = part.top - GAP - card.height;
  const top = between(part.top, room.top + EDGE, room.height - EDGE - card.height),
    along = between(part.left, EDGE, room.width - EDGE - card.width);
  if (right + card.width + EDGE <= room.width) return { left: right, top, side: "right" };
  if (left >= EDGE) return { left, top, side: "left" };
  if (below + card.height + EDGE <= room.height) return { left: along, top: below, side: "below" };
  if (above >= room.top + EDGE) return { left: along, top: above, side: "above" };
  return { left: 0, top: 0, side: "bottom" };
}

/**
 * How far to scroll so that a part begins below the strip.
 *
 * @param {Box} part
 * @param {number} top where the strip ends
 */
export const scrollTo = (part, top) => part.top - top - GAP;
