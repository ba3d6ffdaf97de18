/* Colours: a layer's patches in the colours of three components, and beside them how similar every
   patch is to the chosen one. */
import { fillLesson } from "../../../page/lesson.js";
import { el } from "../../../ui/dom.js";
import { percent } from "../../../ui/format.js";
import { keyHints } from "../../../ui/key-hints.js";
import { cosines, mean } from "../arithmetic.js";
import { featuresUrl, fetchFeatures, fetchPatches, patchesUrl } from "../fetching.js";
import { KEYS } from "../panels.js";
import { patchOf } from "../state.js";
import { createControls } from "./controls.js";
import { createExports } from "./exports.js";
import { createPictures } from "./pictures.js";
import { describePatch, exposed } from "./state.js";
import { createVariance } from "./variance.js";

/** @typedef {import("./state.js").LoadedColours} LoadedColours */

/** @param {import("../state.js").Screen} screen @returns {import("../state.js").Way} */
export function coloursWay(screen) {
  const { state, pointing } = screen;
  const pictures = createPictures(pointing),
    controls = createControls(screen),
    variance = createVariance();
  const story = el("p", { class: "inside-details", "aria-live": "polite" });
  const node = el(
    "div",
    { class: "inside-pair inside-way" },
    el("div", { class: "inside-left" }, pictures.painted.node, keyHints(KEYS), controls.node),
    el("div", { class: "inside-left" }, pictures.alike.node, story, variance.node),
  );
  /** @type {LoadedColours | null} */
  let drawn = null;

  /** @param {import("../state.js").Request} request */
  async function load({ view, layer, isOvertaken }) {
    const { colouring } = state;
    const [scene, patches] = await Promise.all([
      fetchFeatures(featuresUrl(view, layer, colouring)),
      fetchPatches(view, layer),
    ]);
    if (isOvertaken()) return;
    const loaded = { view, layer, colouring, scene, patches };
    screen.update({ colours: { ...state.colours, loaded } });
    variance.follow(loaded, screen.isSeen);
    fillLesson("features", {
      first: percent(scene.ratio[0]),
      object: percent(mean(scene.foreground)),
    });
  }

  function draw() {
    const { loaded, outlined, strength } = state.colours;
    if (!loaded) return;
    const { grid } = loaded.scene.facts,
      patch = patchOf(state, grid);
    if (drawn !== loaded) {
      pictures.open(loaded);
      controls.draw(loaded);
      drawn = loaded;
    }
    state.colours.similar = cosines(
      loaded.patches,
      patch.index,
      loaded.patches,
      state.colours.similar,
    );
    pictures.draw(loaded, { similar: state.colours.similar, patch, outlined, strength });
    story.textContent = describePatch(loaded.scene, state.colours.similar, patch);
  }

  return {
    node,
    load,
    draw,
    isReady: () => state.colours.loaded !== null,
    resized: variance.resume,
    needs: ({ view, layer }) => [
      featuresUrl(view, layer, state.colouring),
      patchesUrl(view, layer),
    ],
    exposed: () => exposed(state.colours),
    exports: createExports(state, pictures.png),
  };
}
