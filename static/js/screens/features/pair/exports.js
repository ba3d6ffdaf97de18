/* What can be taken of two pictures and their matches. */
import { NotShownYet } from "../../../page/errors.js";
import { openInPython } from "../../../page/python.js";
import { penOf } from "../../../ui/dom.js";
import { cellOf, csvOf } from "../arithmetic.js";
import { matchesUrl, pairPrintUrl } from "../fetching.js";
import { configInPython, secondInPython } from "../in-python.js";
import { FIGURES, SHEET, sideBySide } from "../panels.js";
import { patchOf } from "../state.js";
import { lineColour } from "./lines.js";

/** @typedef {import("../state.js").State} State */
/** @typedef {import("./state.js").LoadedPair} LoadedPair */

/**
 * @typedef {object} Layers what is drawn
 * @property {import("../../../ui/patch-picture.js").PatchPicture} left
 * @property {import("../../../ui/patch-picture.js").PatchPicture} right
 * @property {{ patch: number, hue: number }[]} colours of the lines
 */

/**
 * @param {State} state
 * @param {() => Layers} layers
 * @returns {import("../../../page/export.js").Exports}
 */
export const createExports = (state, layers) => ({
  png: () => sheet(shown(state), layers(), state.pair),
  npz: () => matchesUrl(shown(state), { form: "npz" }),
  figures: FIGURES,
  figure(query, what) {
    const loaded = shown(state),
      patch = what === "similarity" ? patchOf(state, loaded.view.grid) : null;
    return pairPrintUrl(loaded, query, patch);
  },
  csv: () => table(shown(state)),
  python: () => (state.pair.loaded ? lines(state.pair.loaded) : "# Choose a second picture first."),
});

/** @param {State} state */
function shown({ pair }) {
  if (!pair.loaded) throw new NotShownYet();
  return pair.loaded;
}

/** @param {LoadedPair} loaded @param {Layers} layers @param {import("./state.js").Pair} pair */
function sheet({ scene }, { left, right, colours }, { shows, strength }) {
  const opacity = shows === "picture" ? 0 : strength,
    { width, gap } = SHEET;
  const canvas = sideBySide([
    [left.picture, left.overlay, opacity],
    [right.picture, right.overlay, opacity],
  ]);
  const context = penOf(canvas);
  /**
   * @param {number} index
   * @param {readonly [number, number]} grid
   * @param {number} from px
   * @returns {[number, number]}
   */
  const centre = (index, grid, from) => {
    const [row, col] = cellOf(index, grid),
      side = width / grid[1],
      height = Math.round(width * (grid[0] / grid[1])) / grid[0];
    return [from + (col + 0.5) * side, (row + 0.5) * height];
  };
  context.lineWidth = 3;
  for (const { patch, hue } of colours) {
    context.strokeStyle = lineColour(hue);
    context.beginPath();
    context.moveTo(...centre(patch, scene.facts.grid, 0));
    context.lineTo(...centre(scene.forward[patch], scene.facts.second_grid, width + gap));
    context.stroke();
  }
  return canvas;
}

/** A line a patch of the first picture. @param {Pick<LoadedPair, "scene">} loaded */
export const table = ({ scene }) =>
  csvOf(
    ["row", "column", "second_row", "second_column", "cosine", "mutual"],
    [...scene.forward].map((match, patch) => [
      ...cellOf(patch, scene.facts.grid),
      ...cellOf(match, scene.facts.second_grid),
      scene.forward_similarity[patch],
      scene.mutual[patch],
    ]),
  );

/** @param {LoadedPair} loaded */
function lines({ view, second, layer, colouring, objectOnly, scene }) {
  return `from dataclasses import replace

${openInPython(view)}
${secondInPython(second)}

from dino_core.analysis.pca import colour_features
from dino_core.analysis.similarity import match_patches, salient_matches
from dino_core.config import PCA_PRESETS

features, others = seen.patches(layer=${layer}), second.patches(layer=${layer})
matches = match_patches(features, others)
print(matches.mutual.sum(), "mutual nearest neighbours")
config = ${configInPython(colouring)}
pictures = colour_features([features, others], [seen.grid, second.grid], config).pictures
kept = pictures[0].foreground.flatten() & pictures[1].foreground.flatten()[matches.forward]
radius, kept = ${scene.facts.radius}, ${objectOnly ? "kept" : "None"}
lines = salient_matches(matches, seen.grid, radius=radius, kept=kept)
for patch in lines[:5].tolist():
    print(divmod(patch, seen.grid[1]), "->", divmod(int(matches.forward[patch]), second.grid[1]))`;
}
