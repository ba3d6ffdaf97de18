/* What can be taken from the screen: always of what it shows. */
import { NotShownYet } from "../../page/errors.js";
import { exportBar } from "../../page/export.js";
import { openInPython } from "../../page/python.js";
import { sceneUrl } from "../../page/scenes.js";
import { respond } from "./embed.js";
import { firstPatch, normOf, stepCount } from "./lengths.js";
import { PATHS } from "./loading.js";
import { placeOf } from "./numbers.js";
import { heldOf } from "./state.js";

/** @typedef {import("./state.js").State} State */

/**
 * @param {State} state
 * @param {() => HTMLCanvasElement} png
 */
export const createExports = (state, png) =>
  exportBar("tokens", {
    png,
    npz: () => sceneUrl(shown(state).view.key, PATHS[state.part], { form: "npz" }),
    csv: () => TABLES[state.part](state),
    figure: (query) => sceneUrl(shown(state).view.key, "print/norms", query),
    python: () => `${openInPython(shown(state).view)}\n${LINES[state.part](state)}`,
  });

/** @param {State} state */
function shown(state) {
  const held = heldOf(state);
  if (!held) throw new NotShownYet();
  return held;
}

// ---------- tables

const table = (/** @type {(string | number)[][]} */ rows) =>
  `${rows.map((row) => row.join(",")).join("\n")}\n`;

/** @type {Record<import("./state.js").PartName, (state: State) => string>} */
const TABLES = {
  patches({ patches, filter }) {
    if (!patches) return "";
    const { scene, pixels } = patches,
      [h, w] = scene.facts.grid,
      known = filter && filter.index < scene.shapes[filter.kind][0] ? filter : null,
      response = known && respond(scene, pixels, known);
    const head = ["row", "column", "embedding_norm", "position_norm", "token_norm"];
    if (known) head.push(`${known.kind === "filters" ? "filter" : "component"}_${known.index}`);
    const line = (/** @type {number} */ patch) => [
      Math.floor(patch / w),
      patch % w,
      scene.embedding_norms[patch],
      scene.position_norms[patch],
      scene.token_norms[patch],
      ...(response ? [response[patch]] : []),
    ];
    return table([head, ...Array.from({ length: h * w }, (_, patch) => line(patch))]);
  },

  positions({ positions, positionNumbers }) {
    if (!positions || !positionNumbers) return "";
    const { scene } = positions,
      [h, w] = scene.facts.grid;
    const line = (/** @type {number} */ patch) => [
      Math.floor(patch / w),
      patch % w,
      scene.rows[Math.floor(patch / w)],
      scene.columns[patch % w],
      positionNumbers.given[patch],
      scene.given_norms[patch],
    ];
    return table([
      ["row", "column", "learned_row", "learned_column", "cosine", "length"],
      ...Array.from({ length: h * w }, (_, patch) => line(patch)),
    ]);
  },

  blocks({ blocks }) {
    if (!blocks) return "";
    const { scene } = blocks,
      first = firstPatch(scene),
      [, w] = scene.facts.grid,
      steps = Array.from({ length: stepCount(scene) }, (_, step) => step);
    const name = (/** @type {number} */ token) => {
      if (token === 0) return ["class token", "", ""];
      if (token < first) return [`register ${token - 1}`, "", ""];
      return ["patch", Math.floor((token - first) / w), (token - first) % w];
    };
    const head = steps.map((step) => (step === 0 ? "norm_in" : `norm_after_block_${step - 1}`));
    const line = (/** @type {number} */ token) => [
      ...name(token),
      ...steps.map((step) => normOf(scene, step, token)),
    ];
    return table([
      ["token", "row", "column", ...head],
      ...Array.from({ length: scene.shapes.norms[1] }, (_, token) => line(token)),
    ]);
  },
};

// ---------- Python

/** @type {Record<import("./state.js").PartName, (state: State) => string>} */
const LINES = {
  patches(state) {
    const { view } = shown(state),
      [row, col] = placeOf(state, view.grid),
      p = view.patch_size,
      [y, x] = [row * p, col * p];
    return `from dino_core.analysis.tokens import filter_components

proj = backbone.vit.patch_embed.proj  # weight [${view.dim}, 3, ${p}, ${p}], bias [${view.dim}]
patch = to_tensor(fitted.picture)[:, ${y}:${y + p}, ${x}:${x + p}]
embedding = (proj.weight * patch).sum((1, 2, 3)) + proj.bias  # [${view.dim}]
print(embedding[:6], embedding.norm())
components = filter_components(proj.weight)  # filters [28, 3, ${p}, ${p}], ratio [28]
print(components.ratio)`;
  },

  positions(state) {
    const { view } = shown(state),
      [row, col] = placeOf(state, view.grid),
      [r, c] = state.positions?.scene.facts.learned_grid ?? view.grid,
      grid = view.grid.join(", ");
    return `from dino_core.analysis.tokens import offset_effect, position_tables
from torch.nn.functional import normalize

learned, given = position_tables(backbone.vit, seen.grid)  # [${r}, ${c}, ${view.dim}], [${grid}, ${view.dim}]
directions = normalize(given, dim=-1)
similarity = directions @ directions[${row}, ${col}]  # [${grid}], cosines
print(similarity)
print(offset_effect(backbone.vit, seen.grid))`;
  },

  blocks(state) {
    const { view } = shown(state),
      step = state.blockNumbers?.step ?? 0;
    return `from dino_core.analysis.tokens import find_outliers, relative_updates, stream_norms

norms = stream_norms(seen)  # [${view.layers + 1}, tokens], row 0 enters the first block
patches = norms[:, seen.first_patch :]
outliers = find_outliers(patches, ${state.blocks?.scene.facts.sigmas})
print(outliers.threshold[${step}], outliers.mask[${step}].nonzero().flatten())
added = relative_updates(seen)[:, :, seen.first_patch :].mean(-1)  # [${view.layers}, 2]: attention, MLP
print(added)`;
  },
};
