/* Where the parts of the screen stand, and the keys that undo. */
import { el } from "../../ui/dom.js";

/** @typedef {{ node: HTMLElement }} Part */

/**
 * @param {HTMLElement} root
 * @param {object} parts
 * @param {Part} parts.controls
 * @param {Part} parts.chips
 * @param {Part & { keys: HTMLElement }} parts.brush
 * @param {Part} parts.brushes
 * @param {Part} parts.grid
 * @param {Part} parts.screening
 * @param {Part} parts.temperature
 * @param {Part} parts.words
 * @param {HTMLElement} parts.shown
 */
export function layOut(root, parts) {
  const { controls, chips, brush, brushes, grid, screening, temperature, words, shown } = parts;
  root.append(
    controls.node,
    chips.node,
    el(
      "div",
      { class: "inside-columns inside-whatif" },
      el(
        "div",
        { class: "inside-left" },
        brush.node,
        brushes.node,
        el(
          "section",
          { class: "inside-off-and-on" },
          el("h2", { text: "Heads, attention and MLP of every block" }),
          grid.node,
          screening.node,
        ),
        fold("Temperature of attention", temperature.node),
        fold("Another change, in words", words.node),
        brush.keys,
      ),
      shown,
    ),
  );
}

/** @param {string} title @param {HTMLElement} node */
const fold = (title, node) =>
  el("details", { class: "inside-more" }, el("summary", { text: title }), node);

/**
 * @param {HTMLElement} root
 * @param {import("./state.js").Editing} editing
 */
export function undoByKeys(root, editing) {
  root.addEventListener("keydown", (event) => {
    const writes = event.target instanceof HTMLInputElement && event.target.type === "text";
    if (writes || !(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "z") return;
    if (event.shiftKey) editing.redo();
    else editing.undo();
    event.preventDefault();
  });
}
