/* Where a visitor hands in files: a button that asks for them, and a place to drop them on. */
import { button } from "./controls.js";
import { el } from "./dom.js";

/**
 * A button that asks for files.
 *
 * @param {string} text
 * @param {(files: File[]) => unknown} onfiles
 * @param {{ accept?: string, title?: string, folder?: boolean, several?: boolean }} [options]
 *   folder: a whole one; several: more than one file
 */
export function fileButton(
  text,
  onfiles,
  { accept = "", title, folder = false, several = folder } = {},
) {
  const input = el("input", {
    type: "file",
    hidden: true,
    accept: accept || null,
    multiple: several,
    webkitdirectory: folder,
    "aria-label": text,
    onchange: () => {
      const files = [...(input.files ?? [])];
      input.value = ""; // the same file may be chosen again
      if (files.length) onfiles(files);
    },
  });
  const node = button(text, () => input.click(), title ?? null);
  node.append(input);
  return node;
}

/**
 * Makes a place to drop files on; it has the class `dropping` while they hang over it.
 *
 * @param {HTMLElement} zone
 * @param {(transfer: DataTransfer) => unknown} ondrop
 */
export function dropZone(zone, ondrop) {
  let depth = 0; // dragenter comes for each element inside as well
  const leave = (/** @type {number} */ next) => {
    depth = Math.max(next, 0);
    zone.classList.toggle("dropping", depth > 0);
  };
  const carries = (/** @type {DragEvent} */ event) =>
    event.dataTransfer?.types.includes("Files") ? event.dataTransfer : null;
  zone.addEventListener("dragenter", (event) => {
    if (!carries(event)) return;
    leave(depth + 1);
    event.preventDefault();
  });
  zone.addEventListener("dragover", (event) => {
    if (carries(event)) event.preventDefault();
  });
  zone.addEventListener("dragleave", () => leave(depth - 1));
  zone.addEventListener("drop", (event) => {
    leave(0);
    const transfer = carries(event);
    if (!transfer) return;
    event.preventDefault();
    event.stopPropagation();
    ondrop(transfer);
  });
}
