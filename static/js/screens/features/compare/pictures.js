/* Both PCAs, and under them the similarity to the chosen patch in both. */
import { sceneUrl } from "../../../page/scenes.js";
import { selectedPatch } from "../../../page/selection.js";
import { paintMap, paintRgb } from "../../../ui/canvas.js";
import { el } from "../../../ui/dom.js";
import { keysSentence } from "../../../ui/key-hints.js";
import { PatchPicture } from "../../../ui/patch-picture.js";
import { figure, KEYS, signed, signedLegend } from "../panels.js";

/** @typedef {import("./state.js").LoadedComparison} LoadedComparison */
/** @typedef {{ row: number, col: number }} Patch */

/** @param {import("../state.js").Screen} screen */
export function createPictures({ state, pointing }) {
  const [first, second, firstLikeness, secondLikeness] = [
    "PCA of the first",
    "PCA of the second",
    "Similarity in the first",
    "Similarity in the second",
  ].map(
    (label) =>
      new PatchPicture({
        from: selectedPatch,
        label: `${label}. ${keysSentence(KEYS)}.`,
        ...pointing,
      }),
  );
  const one = figure(first.node, "First", ""),
    other = figure(second.node, "Second", "");
  const node = el(
    "div",
    { class: "inside-quad" },
    one.node,
    other.node,
    figure(firstLikeness.node, "Similarity", "cosine to the chosen patch", signedLegend()).node,
    figure(secondLikeness.node, "Similarity", "cosine to the same place", signedLegend()).node,
  );
  /** @type {LoadedComparison | null} */
  let drawn = null;

  /** @param {LoadedComparison} loaded */
  function open({ view, second: picture, layer, secondLayer, scene }) {
    const { grid, second_grid: wanted, order } = scene.facts,
      there = picture ?? view;
    for (const part of [first, firstLikeness])
      part.show(sceneUrl(view.key, "input.jpg"), grid, view.input_size);
    for (const part of [second, secondLikeness])
      part.show(sceneUrl(there.key, "input.jpg"), wanted, there.input_size);
    paintRgb(first.overlay, scene.colours, ...grid);
    paintRgb(second.overlay, scene.second_colours, ...wanted);
    const [here, far] = [view, there].map(({ model, model_title: title }) => title ?? model);
    one.words.textContent = `${here}, layer ${layer}`;
    other.words.textContent = `${far}, layer ${secondLayer}, components ${order.join(", ")}`;
  }

  return {
    node,
    layers: () => [first, second],
    /**
     * @param {LoadedComparison} loaded
     * @param {{ patch: Patch & { isKept: boolean }, there: Patch }} places
     */
    draw(loaded, { patch, there }) {
      if (drawn !== loaded) open(loaded);
      drawn = loaded;
      const { grid, second_grid: wanted } = loaded.scene.facts,
        [here, far] = state.compare.similar;
      if (here) paintMap(firstLikeness.overlay, here, signed(grid));
      if (far) paintMap(secondLikeness.overlay, far, signed(wanted));
      for (const part of [first, firstLikeness]) part.mark(patch.row, patch.col, patch.isKept);
      for (const part of [second, secondLikeness]) part.mark(there.row, there.col, patch.isKept);
    },
  };
}
