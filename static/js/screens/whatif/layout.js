/* Where the parts of the screen stand, and the keys that undo. */
import { el } from "../../ui/dom.js";

/**
 * @param {HTMLElement} root
 * @param {Record<"controls" | "chips" | "brushes" | "grid" | "temperature" | "words", { node: HTMLElement }>
 *   & { brush: { node: HTMLElement, keys: HTMLElement }, shown: HTMLElement }} parts
 */
export function layOut(root, parts) {
  const { controls, chips, brush, brushes, grid, temperature, words, shown } = parts;
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
