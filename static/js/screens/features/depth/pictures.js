/* The layers in colours that stay, and beside them what the chosen patch attends to. */
import { sceneUrl } from "../../../page/scenes.js";
import { selectedPatch } from "../../../page/selection.js";
import { paintMap, paintRgb } from "../../../ui/canvas.js";
import { percent } from "../../../ui/format.js";
import { keysSentence } from "../../../ui/key-hints.js";
import { legend } from "../../../ui/legend.js";
import { PatchPicture } from "../../../ui/patch-picture.js";
import { figure, KEYS, paintEach } from "../panels.js";
import { between, mixed } from "./state.js";

/** @typedef {import("./state.js").LoadedDepth} LoadedDepth */

const STRENGTH = 0.75; // of attention over the picture

/** @param {import("../state.js").Pointing} pointing */
export function createPictures(pointing) {
  const keys = `${keysSentence(KEYS)}.`;
  const colours = new PatchPicture({
    from: selectedPatch,
    label: `The layer's patches in colours that stay through all layers. ${keys}`,
    ...pointing,
  });
  const attention = new PatchPicture({
    from: selectedPatch,
    label: `What the chosen patch, or the class token, attends to. ${keys}`,
    ...pointing,
  });
  const left = figure(colours.node, "PCA", ""),
    right = figure(attention.node, "Attention", "", legend("magma", "0", "its largest"));
  const title = left.node.querySelector("b");
  attention.overlay.style.opacity = String(STRENGTH);

  /** @param {LoadedDepth} loaded @param {ReturnType<typeof between>} where */
  function paintLeft({ scene, clusters, choice }, where) {
    const { grid } = scene.facts,
      size = grid[0] * grid[1];
    if (choice.picture === "pca")
      return paintRgb(colours.overlay, mixed(scene.colours, 3 * size, where), ...grid);
    const [layer, next, share] = where, // groups are one or the other
      first = (share < 0.5 ? layer : next) * size;
    paintEach(
      colours.overlay,
      grid,
      (i) => clusters.facts.colours[clusters.labels[first + i]] ?? null,
    );
  }

  return {
    nodes: /** @type {const} */ ([left.node, right.node]),
    layers: () => [colours, attention],
    /** @param {LoadedDepth} loaded */
    open({ view, scene: { facts }, choice }) {
      for (const one of [colours, attention])
        one.show(sceneUrl(view.key, "input.jpg"), facts.grid, view.input_size);
      if (title) title.textContent = choice.picture === "pca" ? "PCA" : "Clusters";
    },
    /** @param {LoadedDepth} loaded @param {number} at in layers */
    draw(loaded, at) {
      const { scene, asked, attention: values, largest, choice } = loaded,
        { grid } = scene.facts,
        where = between(at, largest.length - 1),
        layer = Math.round(at);
      paintLeft(loaded, where);
      paintMap(attention.overlay, mixed(values, grid[0] * grid[1], where), { grid, high: 1 });
      const name = `layer ${layer} of 0–${largest.length - 1}`;
      left.words.textContent =
        choice.picture === "clusters" ? `${name}, colours that stay` : `${name}, one basis for all`;
      const who = asked.row < 0 ? "the class token" : `row ${asked.row}, column ${asked.column}`,
        whose = asked.head < 0 ? "mean of all heads" : `head ${asked.head}`;
      right.words.textContent = `${name}, of ${who}, ${whose}, up to ${percent(largest[layer], 2)}`;
      const [row, col] = asked.row < 0 ? [null, null] : [asked.row, asked.column];
      for (const one of [colours, attention]) one.mark(row, col, true);
    },
  };
}
