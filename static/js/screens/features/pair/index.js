/* Two pictures: the similarity of both to one patch of either, and best matches as lines.

   Patches that are each other's nearest neighbour are mutual; the server finds them, and which to
   draw, because all pairs of patches are a gigaflop at 518 px. Everything at the pointer is here. */
import { fillLesson } from "../../../page/lesson.js";
import { kept } from "../../../page/link.js";
import { isSparing } from "../../../page/screens.js";
import { el } from "../../../ui/dom.js";
import { cosines, mean } from "../arithmetic.js";
import {
  featuresUrl,
  fetchFeatures,
  fetchMatches,
  fetchPatches,
  matchesUrl,
  patchesUrl,
} from "../fetching.js";
import { patchOf } from "../state.js";
import { createChooser } from "./chooser.js";
import { createControls } from "./controls.js";
import { createExports } from "./exports.js";
import { createPictures } from "./pictures.js";

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

/** @param {import("../state.js").Screen} screen @returns {import("../state.js").Way} */
export function pairWay(screen) {
  const { state } = screen;
  const change = (/** @type {Partial<Pair>} */ next) =>
    screen.update({ pair: { ...state.pair, ...next } });
  const chooser = createChooser(screen, change),
    pictures = createPictures(screen, change, chooser.node),
    controls = createControls(screen, change, chooser.node);
  const node = el("div", { class: "inside-left inside-way" }, pictures.node, controls.node);
  draw();

  /** @param {import("../state.js").Request} request */
  async function load(request) {
    const { view, layer, isOvertaken } = request;
    if (isSparing() && !kept("features.second")) {
      if (!state.pair.second) change({ choosing: true });
    } else await chooser.ready(request);
    const { second, objectOnly } = state.pair,
      { colouring } = state;
    if (isOvertaken()) return;
    if (!second || second.first !== view.key) {
      if (state.pair.loaded?.view !== view) change({ loaded: null }); // that was another picture
      return;
    }
    const [scene, joint, patches, others] = await Promise.all([
      fetchMatches(matchesUrl({ view, second, layer, colouring, objectOnly })),
      fetchFeatures(featuresUrl(view, layer, colouring, { second: second.key })),
      fetchPatches(view, layer),
      fetchPatches(second, layer),
    ]);
    if (isOvertaken()) return;
    const loaded = { view, second, layer, colouring, objectOnly, scene, joint, patches, others };
    change({ loaded, pointed: null });
    fillLesson("features", {
      mutual: `${scene.facts.count} of ${scene.shapes.forward[0]}`,
      bestcos: Math.max(...scene.forward_similarity).toFixed(2),
      meancos: mean(scene.forward_similarity).toFixed(2),
    });
  }

  function draw() {
    const { pair } = state;
    chooser.draw(pair);
    pictures.arrange(pair);
    controls.arrange(pair);
    if (!pair.loaded) return;
    const asked = askedOf(state, pair.loaded);
    pair.similar = similarTo(pair.loaded, asked, pair.similar);
    pictures.draw(pair.loaded, asked);
    controls.draw(pair.loaded, asked);
  }

  return {
    node,
    load,
    draw,
    isReady: () => state.pair.loaded !== null,
    resized: () => pictures.drawLines(),
    needs({ view, layer }) {
      const { loaded } = state.pair;
      if (!loaded || loaded.view !== view) return [];
      return [
        matchesUrl({ ...loaded, layer }),
        featuresUrl(view, layer, loaded.colouring, { second: loaded.second.key }),
        patchesUrl(view, layer),
        patchesUrl(loaded.second, layer),
      ];
    },
    exposed: () => exposed(state.pair, pictures.drawnLines()),
    exports: createExports(state, pictures.layers),
  };
}

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
function similarTo({ patches, others }, { isFirst, from }, out) {
  const source = isFirst ? patches : others;
  return [cosines(source, from, patches, out[0]), cosines(source, from, others, out[1])];
}

/** @param {Pair} pair @param {number} drawn lines */
function exposed({ second, loaded, similar, lines, pointed }, drawn) {
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
