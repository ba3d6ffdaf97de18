/* The picture of the welcome: a pixel a patch. */
import { paintMap } from "../../ui/canvas.js";
import { penOf } from "../../ui/dom.js";

const VEIL = 185; // of 255: how dark the background lies over the photo

/**
 * Foreground in its colours, background as the photo in the dark.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {import("./state.js").WelcomeScene} scene
 */
export function paintColours(canvas, { facts, colours, foreground }) {
  const [h, w] = facts.grid,
    pen = penOf(Object.assign(canvas, { width: w, height: h })),
    image = pen.createImageData(w, h);
  foreground.forEach((inside, i) => {
    const rgb = colours.subarray(3 * i, 3 * i + 3);
    image.data.set([...rgb, inside ? 255 : VEIL], 4 * i);
  });
  pen.putImageData(image, 0, 0);
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {Float32Array} similar cosines
 * @param {readonly [number, number]} grid
 */
export function paintLikeness(canvas, similar, grid) {
  Object.assign(canvas, { width: grid[1], height: grid[0] }); // what was painted elsewise is gone
  paintMap(canvas, similar, { grid, low: -1, high: 1, colours: "blue-red" });
}
