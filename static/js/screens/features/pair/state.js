/* What is shown of two pictures, and what is asked of their patches. */
import { kept } from "../../../page/link.js";
import { cosines } from "../arithmetic.js";
import { patchOf } from "../state.js";

/** @typedef {import("../state.js").View} View */
/** @typedef {import("../state.js").Second} Second */

/**
 * @typedef {object} LoadedPair what is shown, and what it was made with
 * @property {View} view
 * @property {Second} second
 * @property {number} layer
 * @property {import("../state.js").Colouring} colouring
 * @property {boolean} objectOnly
 * @property {import("../fetching.js").MatchesScene} scene
 * @property {import("../fetching.js").FeaturesScene} joint the PCA over both
 * @property {import("../fetching.js").PatchesScene} patches
 * @property {import("../fetching.js").PatchesScene} others
 */

/**
 * @typedef {object} Pair
 * @property {Second | null} second
 * @property {boolean} choosing the second picture
 * @property {"similarity" | "colours" | "picture"} shows
 * @property {number} lines that are drawn at most
 * @property {boolean} objectOnly lines from foreground to foreground
 * @property {boolean} marks a dot on every mutual match
 * @property {number} strength of the overlays, 0 to 1
 * @property {number | null} pointed the second picture's patch under the pointer
 * @property {LoadedPair | null} loaded
 * @property {[Float32Array | null, Float32Array | null]} similar cosines in both pictures
 */

/** @returns {Pair} */
export const initialPair = () => ({
  second: null,
  choosing: true,
  shows: "similarity",
  lines: Number(kept("features.lines") ?? 20),
  objectOnly: true,
  marks: true,
  strength: 0.75,
  pointed: null,
  loaded: null,
  similar: [null, null],
});

/**
 * @typedef {object} Asked what is asked for: a patch of either picture, and its best match in the other
 * @property {boolean} isFirst the patch is one of the first picture
 * @property {number} from
 * @property {number} to
 * @property {number} back the best match of that match
 * @property {boolean} isMutual
 * @property {number} cosine
 * @property {boolean} isKept nothing is pointed at
 */

/**
 * @param {import("../state.js").State} state
 * @param {LoadedPair} loaded
 * @returns {Asked}
 */
export function askedOf(state, { scene }) {
  const { pointed } = state.pair,
    patch = patchOf(state, scene.facts.grid),
    isFirst = pointed === null,
    from = pointed ?? patch.index;
  const [there, back, cosine] = isFirst
    ? [scene.forward, scene.backward, scene.forward_similarity]
    : [scene.backward, scene.forward, scene.backward_similarity];
  const to = there[from];
  return {
    isFirst,
    from,
    to,
    back: back[to],
    isMutual: back[to] === from,
    cosine: cosine[from],
    isKept: isFirst && patch.isKept,
  };
}

/**
 * @param {LoadedPair} loaded
 * @param {Asked} asked
 * @param {Pair["similar"]} out
 * @returns {[Float32Array, Float32Array]}
 */
export function similarTo({ patches, others }, { isFirst, from }, out) {
  const source = isFirst ? patches : others;
  return [cosines(source, from, patches, out[0]), cosines(source, from, others, out[1])];
}

/** What tests and curious people may read. @param {Pair} pair @param {number} drawn lines */
export function exposed({ second, loaded, similar, lines, pointed }, drawn) {
  if (!loaded) return { second: second?.key ?? null };
  const { scene } = loaded;
  return {
    second: loaded.second.key,
    similar: similar[0],
    secondSimilar: similar[1],
    forward: scene.forward,
    backward: scene.backward,
    mutual: scene.mutual,
    count: scene.facts.count,
    lines: Math.min(lines, scene.lines.length),
    drawn,
    pointed,
    secondGrid: loaded.second.grid,
    key: loaded.view.key,
    layer: loaded.layer,
  };
}
