/* The picture in the colours of three components, and how similar every patch is to the chosen one. */
import { sceneUrl } from "../../../page/scenes.js";
import { selectedPatch } from "../../../page/selection.js";
import { paintMap, paintRgb } from "../../../ui/canvas.js";
import { keysSentence } from "../../../ui/key-hints.js";
import { PatchPicture } from "../../../ui/patch-picture.js";
import { createOutline, figure, KEYS, signed, signedLegend } from "../panels.js";

/** @typedef {import("./state.js").LoadedColours} LoadedColours */
/** @typedef {ReturnType<typeof import("../state.js").patchOf>} PlacedPatch */

/** @param {import("../state.js").Pointing} pointing */
export function createPictures(pointing) {
  const keys = keysSentence(KEYS);
  const colours = new PatchPicture({
    from: selectedPatch,
    label: `PCA of the patch features as colours. ${keys}.`,
    ...pointing,
  });
  const likeness = new PatchPicture({
    from: selectedPatch,
    label: `Cosine similarity of every patch to the chosen one. ${keys}.`,
    ...pointing,
  });
  const outline = createOutline(colours);
  const painted = figure(colours.node, "PCA", ""),
    alike = figure(likeness.node, "Similarity", "cosine to the chosen patch", signedLegend());
  return {
    painted,
    alike,
    png: () => ({ picture: colours.picture, overlay: colours.overlay }),

    /** @param {LoadedColours} loaded */
    open({ view, scene }) {
      const { grid, config } = scene.facts;
      for (const one of [colours, likeness])
        one.show(sceneUrl(view.key, "input.jpg"), grid, view.input_size);
      paintRgb(colours.overlay, scene.colours, ...grid);
      painted.words.textContent =
        `components ${config.components.join(", ")} as red, green, blue` +
        (config.foreground ? "; background black" : "");
    },

    /**
     * @param {LoadedColours} loaded
     * @param {object} shown
     * @param {Float32Array} shown.similar
     * @param {PlacedPatch} shown.patch
     * @param {boolean} shown.outlined
     * @param {number} shown.strength
     */
    draw({ scene }, { similar, patch, outlined, strength }) {
      const { grid } = scene.facts;
      paintMap(likeness.overlay, similar, signed(grid));
      colours.overlay.style.opacity = String(strength);
      outline.draw(outlined ? scene.foreground : null, grid);
      for (const one of [colours, likeness]) one.mark(patch.row, patch.col, patch.isKept);
    },
  };
}
