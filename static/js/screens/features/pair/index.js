/* Two pictures: the similarity of both to one patch of either, and best matches as lines.

   Patches that are each other's nearest neighbour are mutual; the server finds them, and which to
   draw, because all pairs of patches are a gigaflop at 518 px. Everything at the pointer is here. */
import { fillLesson } from "../../../page/lesson.js";
import { kept } from "../../../page/link.js";
import { isSparing } from "../../../page/screens.js";
import { el } from "../../../ui/dom.js";
import { mean } from "../arithmetic.js";
import {
  featuresUrl,
  fetchFeatures,
  fetchMatches,
  fetchPatches,
  matchesUrl,
  patchesUrl,
} from "../fetching.js";
import { createChooser } from "./chooser.js";
import { createControls } from "./controls.js";
import { createExports } from "./exports.js";
import { createPictures } from "./pictures.js";
import { askedOf, exposed, similarTo } from "./state.js";

/** @typedef {import("./state.js").Pair} Pair */

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
