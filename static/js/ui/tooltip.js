/* Words beside the pointer, inside the node that is pointed at. */
import { el } from "./dom.js";

/**
 * @param {HTMLElement} node
 * @param {{ clientX: number, clientY: number }} event
 * @param {string | null} text null hides them
 * @param {DOMRect | null} [frame] of the node, where it has been measured already
 * @param {readonly [rows: number, columns: number]} [grid] of parts of the node: the words stay
 *   beside the part that is pointed at
 */
export function tip(node, event, text, frame = null, grid = [Infinity, Infinity]) {
  /** @type {HTMLElement | null} */
  let box = node.querySelector(":scope > .inside-tip");
  if (!box) node.append((box = el("div", { class: "inside-tip", hidden: true })));
  box.hidden = text === null;
  if (text === null) return;
  const { left, top, width, height } = frame ?? node.getBoundingClientRect();
  if (box.textContent !== text) box.textContent = text;
  const x = event.clientX - left,
    y = event.clientY - top;
  const across = besides(x, width, width / grid[1]),
    down = besides(y, height, height / grid[0]);
  box.style.transform = `translate(${across}, ${down})`;
}

const FAR = 14; // px from the pointer, at least
const AIR = 4; // px from the part that is pointed at

/**
 * Where the words begin or end on one axis, on the side where there is more room.
 *
 * @param {number} at px of the pointer
 * @param {number} length px of the node
 * @param {number} part px of each of its parts; 0: it has none
 */
function besides(at, length, part) {
  const begin = part ? Math.floor(at / part) * part : at;
  return at > length / 2
    ? `calc(${Math.min(begin - AIR, at - FAR)}px - 100%)`
    : `${Math.max(begin + part + AIR, at + FAR)}px`;
}
