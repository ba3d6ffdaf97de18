/* Pictures in a grid: buttons with a line or two of words, one stop of the Tab key all together. */
import { el } from "../../ui/dom.js";
import { roving } from "../../ui/roving.js";

/**
 * @typedef {object} Tile
 * @property {number} index of the picture
 * @property {string} title
 * @property {string} [words] under it
 * @property {string} [kind] class of the button
 */

/**
 * @param {HTMLElement} node
 * @param {import("./state.js").Thumbnails} thumbnails
 * @param {readonly Tile[]} tiles
 * @param {{ onchoose: (index: number) => unknown, chosen?: number | null }} options
 * @returns {HTMLButtonElement[]}
 */
export function fillTiles(node, thumbnails, tiles, { onchoose, chosen = null }) {
  const buttons = tiles.map(({ index, title, words = "", kind }) =>
    el(
      "button",
      {
        type: "button",
        "data-index": index,
        class: kind,
        title,
        "aria-label": words ? `${title}, ${words.replaceAll("\n", ", ")}` : title,
        "aria-pressed": String(index === chosen),
        onclick: () => onchoose(index),
      },
      el("span", { class: "face" }, thumbnails.face(index)),
      el("small", { text: words }),
    ),
  );
  node.replaceChildren(...buttons);
  if (buttons.length) roving(buttons, columnsOf(node));
  return buttons;
}

/** Marks one of the tiles. @param {HTMLElement} node @param {number | null} index */
export function pressTile(node, index) {
  for (const button of node.querySelectorAll("button"))
    button.setAttribute("aria-pressed", String(Number(button.dataset.index) === index));
}

/** How many stand side by side. @param {HTMLElement} node */
function columnsOf(node) {
  const columns = getComputedStyle(node).gridTemplateColumns.split(" ").length;
  return Math.max(columns, 1);
}
