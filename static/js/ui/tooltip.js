/* Words beside the pointer, inside the node that is pointed at. */
import { el } from "./dom.js";

/**
 * @param {HTMLElement} node
 * @param {{ clientX: number, clientY: number }} event
 * @param {string | null} text null hides them
 * @param {DOMRect | null} [frame] of the node, where it has been measured already
 */
export function tip(node, event, text, frame = null) {
  /** @type {HTMLElement | null} */
  let box = node.querySelector(":scope > .inside-tip");
  if (!box) node.append((box = el("div", { class: "inside-tip", hidden: true })));
  box.hidden = text === null;
  if (text === null) return;
  const { left, top, width, height } = frame ?? node.getBoundingClientRect();
  if (box.textContent !== text) box.textContent = text;
  const x = event.clientX - left,
    y = event.clientY - top;
  const across = x > width / 2 ? `calc(${x - 14}px - 100%)` : `${x + 14}px`;
  const down = y > height / 2 ? `calc(${y - 14}px - 100%)` : `${y + 14}px`;
  box.style.transform = `translate(${across}, ${down})`;
}
