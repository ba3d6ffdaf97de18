/* Small parts that the ways of looking share: a figure, an outline, pictures on one sheet. */
import { flatten } from "../../ui/canvas.js";
import { el, penOf, svg } from "../../ui/dom.js";
import { legend as colourLegend } from "../../ui/legend.js";
import { outlinePath } from "./arithmetic.js";

/** Keys of a picture of this screen. @type {import("../../ui/key-hints.js").KeyHints} */
export const KEYS = [
  ["arrows", "move the patch"],
  ["Enter", "keeps it"],
  ["Esc", "lets go"],
  ["[ ]", "layer"],
];

/**
 * A figure with its title, a line under it that may change, and a legend.
 *
 * @param {HTMLElement} picture
 * @param {string} title
 * @param {string} line
 * @param {HTMLElement | null} [legend]
 */
export function figure(picture, title, line, legend = null) {
  const words = el("span", { text: line });
  return {
    node: el("figure", {}, picture, el("figcaption", {}, el("b", { text: title }), words, legend)),
    words,
  };
}

export const signedLegend = () => colourLegend("blue-red", "−1", "1");

/** How a map of cosines is painted. @param {readonly [number, number]} grid */
export const signed = (grid) => ({ grid, low: -1, high: 1, colours: "blue-red" });

/** A line around the foreground. @param {import("../../ui/patch-picture.js").PatchPicture} picture */
export function createOutline(picture) {
  const paths = ["halo", "edge"].map((name) => svg("path", { class: name })),
    node = svg(
      "svg",
      { class: "inside-outline", preserveAspectRatio: "none", "aria-hidden": "true" },
      ...paths,
    );
  picture.node.insertBefore(node, picture.marker);
  return {
    /** @param {ArrayLike<number> | null} mask null: no line @param {readonly [number, number]} grid */
    draw(mask, [h, w]) {
      node.setAttribute("viewBox", `0 0 ${w} ${h}`);
      const path = mask ? outlinePath(mask, h, w) : "";
      for (const one of paths) one.setAttribute("d", path);
    },
  };
}

/**
 * Paints each patch in a colour of its own, or leaves it clear.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {readonly [number, number]} grid
 * @param {(index: number) => ArrayLike<number> | null} colourOf RGB bytes
 */
export function paintEach(canvas, [h, w], colourOf) {
  canvas.width = w;
  canvas.height = h;
  const context = penOf(canvas),
    image = context.createImageData(w, h);
  for (let i = 0; i < h * w; i++) {
    const rgb = colourOf(i);
    if (rgb) image.data.set([rgb[0], rgb[1], rgb[2], 255], 4 * i);
  }
  context.putImageData(image, 0, 0);
}

/** @typedef {readonly [image: CanvasImageSource, overlay: HTMLCanvasElement, opacity: number]} Layered */

export const SHEET = { width: 700, gap: 24 }; // px, of each picture on a sheet

/** Pictures side by side as one canvas. @param {readonly Layered[]} parts */
export function sideBySide(parts) {
  const { width, gap } = SHEET;
  const heights = parts.map(([, overlay]) => Math.round((width * overlay.height) / overlay.width));
  const canvas = el("canvas", {
    width: parts.length * (width + gap) - gap,
    height: Math.max(...heights),
  });
  const context = penOf(canvas);
  parts.forEach(([image, overlay, opacity], i) =>
    context.drawImage(flatten(image, overlay, opacity, width), i * (width + gap), 0),
  );
  return canvas;
}

/** What ways of looking print that show a picture and how alike its patches are. */
export const FIGURES = /** @type {const} */ ([
  ["view", "This view"],
  ["similarity", "Similarity to the chosen patch"],
]);
