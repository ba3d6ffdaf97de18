/* What the colours show, and what they say of a patch. */
import { mean } from "../arithmetic.js";

/** @typedef {ReturnType<typeof import("../state.js").patchOf>} PlacedPatch */

/**
 * @typedef {object} LoadedColours what is shown, and what it was made with
 * @property {import("../state.js").View} view
 * @property {number} layer
 * @property {import("../state.js").Colouring} colouring
 * @property {import("../fetching.js").FeaturesScene} scene
 * @property {import("../fetching.js").PatchesScene} patches
 */

/**
 * @typedef {object} Colours
 * @property {LoadedColours | null} loaded
 * @property {Float32Array | null} similar [P] cosines to the patch
 * @property {boolean} outlined
 * @property {number} strength of the overlay, 0 to 1
 */

/** @returns {Colours} */
export const initialColours = () => ({
  loaded: null,
  similar: null,
  outlined: false,
  strength: 1,
});

/**
 * @param {import("../fetching.js").FeaturesScene} scene
 * @param {Float32Array} similar
 * @param {PlacedPatch} patch
 */
export function describePatch({ scores, foreground, facts }, similar, { row, col, index }) {
  const values = [...scores.subarray(3 * index, 3 * index + 3)].map((score) => score.toFixed(2));
  const names = facts.config.components.map((component, i) => `${component}: ${values[i]}`);
  return (
    `Patch row ${row}, column ${col}: component ${names.join(", ")}` +
    (foreground[index] ? "" : ", background") +
    `. Its mean similarity to all patches is ${mean(similar).toFixed(2)}. ${facts.note}`
  );
}

/** What tests and curious people may read. @param {Colours} colours */
export function exposed({ loaded, similar }) {
  if (!loaded) return {};
  const { colouring, scene } = loaded;
  return {
    key: loaded.view.key,
    layer: loaded.layer,
    preset: colouring.preset,
    flip: colouring.flip,
    changes: colouring.changes,
    similar,
    scores: scene.scores,
    colours: scene.colours,
    foreground: scene.foreground,
    ratio: scene.ratio,
    config: scene.facts.config,
  };
}
