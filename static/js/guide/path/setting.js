/* What a stop sets before it speaks: the selection of the page, and buttons that are pressed as a
   visitor would press them. */
import { select, selection } from "../../page/selection.js";

/** @typedef {import("./stops.js").Stop} Stop */
/** @typedef {import("../../types/page").View} View */

/**
 * What a stop selects on a picture.
 *
 * @param {Pick<Stop, "layer" | "head" | "patch">} stop
 * @param {Pick<View, "grid" | "layers" | "heads">} view
 * @returns {Partial<import("../../page/selection.js").Selection>}
 */
export function selectionOf({ layer, head, patch }, { grid: [h, w], layers, heads }) {
  /** @type {Partial<import("../../page/selection.js").Selection>} */
  const change = {};
  if (layer) change.layer = layer === "first" ? 0 : layer === "last" ? layers - 1 : Number(layer);
  if (head) change.head = head === "mean" ? null : Math.min(Number(head), heads - 1);
  if (patch === "class") Object.assign(change, { row: null, col: null });
  if (patch === "corner") Object.assign(change, { row: 0, col: 0 });
  if (patch === "middle") Object.assign(change, { row: Math.floor(h / 2), col: Math.floor(w / 2) });
  return change;
}

/** @param {Stop} stop @param {View} view */
export function selectFor(stop, view) {
  const wanted = selectionOf(stop, view),
    now = /** @type {Record<string, unknown>} */ ({ ...selection });
  if (Object.entries(wanted).some(([name, value]) => now[name] !== value)) select(wanted);
}

/** Presses what is not pressed yet. @param {HTMLElement} root of the screen @param {Stop} stop */
export function pressFor(root, { press }) {
  for (const one of press) {
    const [group, value] = one.split("=").map((word) => word.trim());
    const button = root.querySelector(`[aria-label="${group}"] [data-value="${value}"]`);
    if (button instanceof HTMLElement && button.getAttribute("aria-pressed") !== "true")
      button.click();
  }
}
