/* Where the guide lies on the page: beside Gradio's own elements, so that the page's style sheets reach
   it, and above them. */
import { el } from "../ui/dom.js";

/** @type {HTMLElement | null} */
let layer = null;

/** Gradio's frame, once there is one. @returns {Promise<HTMLElement>} */
function frame() {
  const found = () => document.getElementById("page")?.parentElement;
  return new Promise((resolve) => {
    const now = found();
    if (now) return resolve(now);
    const watching = new MutationObserver(() => {
      const there = found();
      if (!there) return;
      watching.disconnect();
      resolve(there);
    });
    watching.observe(document.body, { childList: true, subtree: true });
  });
}

/** The layer of the guide. */
export async function guideLayer() {
  const place = await frame();
  layer ??= el("div", { id: "inside-guide" });
  if (layer.parentElement !== place) place.append(layer);
  return layer;
}

/**
 * A window over the page that Escape closes; what was focused before is focused again.
 *
 * @param {string} label
 * @param {string} className
 * @param {...Node} children
 */
export async function openWindow(label, className, ...children) {
  /** @type {HTMLDialogElement} */
  const dialog = el("dialog", {
    class: `inside-window ${className}`,
    "aria-label": label,
    onclose: () => dialog.remove(),
    onclick: ({ target }) => {
      if (target === dialog) dialog.close(); // beside the window
    },
  });
  const close = el("button", {
    type: "button",
    class: "inside-button inside-window-close",
    text: "Close",
    onclick: () => dialog.close(),
  });
  dialog.append(el("header", {}, el("h2", { text: label }), close), ...children);
  (await guideLayer()).append(dialog);
  dialog.showModal();
  return dialog;
}
