/* The files and lines that a way of looking gives away. */
import { exportBar } from "../../page/export.js";
import { FIGURES } from "./panels.js";

const FILES = ["PNG", "NPZ", "CSV", "Figure", "Save"];

/** The files and lines of the open way. @param {() => import("./state.js").Way} way */
export function createTake(way) {
  const none = () => {
    throw new Error("This way of looking has no such file.");
  };
  const { node, refresh, print } = exportBar("features", {
    png: () => (way().exports.png ?? none)(),
    npz: () => (way().exports.npz ?? none)(),
    csv: () => (way().exports.csv ?? none)(),
    figure: (query, what) => (way().exports.figure ?? none)(query, what),
    figures: FIGURES,
    python: () => (way().exports.python ?? none)(),
  });
  return {
    node,
    refresh,
    /** @param {boolean} ready */
    enable(ready) {
      for (const one of node.querySelectorAll("button"))
        if (FILES.includes(one.textContent ?? "")) one.disabled = !ready;
      print?.offer(Boolean(way().exports.figures));
    },
  };
}
