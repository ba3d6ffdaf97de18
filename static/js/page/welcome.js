/* What a newcomer is told above the first screen: what this is, in three sentences, the colours that
   the model gives to the sample's patches, and two ways on. Gone once one of them, or another screen, is
   taken; then a visit opens where the one before has ended. */
import { paintRgb } from "../ui/canvas.js";
import { button } from "../ui/controls.js";
import { el } from "../ui/dom.js";
import { settings } from "../settings.js";
import { bus } from "./bus.js";
import { opening } from "./link.js";
import { readMemory, writeMemory } from "./memory.js";
import { fetchScene, sceneUrl } from "./scenes.js";

const WORDS =
  "DINOv2 is a vision model that learned from pictures alone: nobody told it what is in them. On the " +
  "left is what it makes of one, each patch in the colour of what it means, so that like parts get " +
  "like colours. Here you can follow a picture through it, this one or your own, from the first patch " +
  "to a whole step of training.";

const isNewcomer = () =>
  settings.first !== null && !Object.keys(opening.state).length && !readMemory("screen");

/**
 * The words above the first screen; null for whoever has been here.
 *
 * @param {import("../types/page").View} view
 */
export function welcome(view) {
  if (!isNewcomer() || view.key !== settings.first?.key) return null;
  const colours = el("canvas", {
    role: "img",
    "aria-label": "The sample's patches in the colours of their principal components",
  });
  const node = el(
    "div",
    { class: "inside-welcome", role: "region", "aria-label": "Welcome" },
    colours,
    el(
      "div",
      {},
      el("p", { text: WORDS }),
      el(
        "div",
        { class: "inside-controls" },
        button("Take the path", () => {
          leave("attention");
          document.getElementById("inside-to-path")?.click();
        }),
        button("Explore", () => leave("attention")),
      ),
    ),
  );
  /** @param {string} screen where the next visit begins */
  function leave(screen) {
    writeMemory("screen", screen);
    node.remove();
  }
  bus.on("screen", ({ name, before }) => {
    if (before) leave(name);
  });
  void paint(colours, view);
  return node;
}

/** @param {HTMLCanvasElement} canvas @param {import("../types/page").View} view */
async function paint(canvas, { key, seed, grid: [h, w] }) {
  canvas.style.aspectRatio = `${w} / ${h}`;
  /** @type {import("../types/scenes").strip.StripScene} */
  const scene = await fetchScene(sceneUrl(key, "strip", { seed }));
  paintRgb(canvas, scene.features, h, w);
}
