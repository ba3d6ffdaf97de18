/* The files and lines that a way of looking gives away. */
import { exportBar } from "../../page/export.js";

const FILES = ["PNG", "NPZ", "CSV", "Figure", "Save"];

/** The files and lines of the open way. @param {() => import("./state.js").Way} way */
export function createTake(way) {
  const none = () => {
    throw new Error("This way of looking has no such file.");
  };
  const { node, refresh } = exportBar("features", {
    png: () => (way().exports.png ?? none)(),
    npz: () => (way().exports.npz ?? none)(),
    csv: () => (way().exports.csv ?? none)(),
    figure: (query) => (way().exports.figure ?? none)(query),
    python: () => (way().exports.python ?? none)(),
  });
  return {
    node,
    refresh,
    /** @param {boolean} ready */
    enable(ready) {
      for (const one of node.querySelectorAll("button"))
        if (FILES.includes(one.textContent ?? "")) one.disabled = !ready;
      const figure = /** @type {HTMLButtonElement} */ (
        node.querySelector(".inside-take > [aria-expanded]")
      );
      figure.hidden = !way().exports.figure; // of the colours alone
      if (figure.hidden && figure.getAttribute("aria-expanded") === "true") figure.click();
    },
  };
}
