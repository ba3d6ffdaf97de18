/* Colours: a layer's patches in the colours of three components, and beside them how similar every
   patch is to the chosen one. */
import { fillLesson } from "../../../page/lesson.js";
import { sceneUrl } from "../../../page/scenes.js";
import { selectedPatch } from "../../../page/selection.js";
import { paintMap, paintRgb } from "../../../ui/canvas.js";
import { el } from "../../../ui/dom.js";
import { percent } from "../../../ui/format.js";
import { keyHints, keysInWords } from "../../../ui/key-hints.js";
import { PatchPicture } from "../../../ui/patch-picture.js";
import { cosines, mean } from "../arithmetic.js";
import { featuresUrl, fetchFeatures, fetchPatches, patchesUrl } from "../fetching.js";
import { createOutline, figure, KEYS, signed, signedLegend } from "../panels.js";
import { patchOf } from "../state.js";
import { createControls } from "./controls.js";
import { createExports } from "./exports.js";
import { createVariance } from "./variance.js";

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

/** @param {import("../state.js").Pointing} pointing */
function createPictures(pointing) {
  const keys = keysInWords(KEYS);
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
     * @param {{ similar: Float32Array, patch: ReturnType<typeof patchOf>, outlined: boolean, strength: number }} shown
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

/**
 * @param {import("../fetching.js").FeaturesScene} scene
 * @param {Float32Array} similar
 * @param {ReturnType<typeof patchOf>} patch
 */
function describePatch({ scores, foreground, facts }, similar, { row, col, index }) {
  const values = [...scores.subarray(3 * index, 3 * index + 3)].map((score) => score.toFixed(2));
  const names = facts.config.components.map((component, i) => `${component}: ${values[i]}`);
  return (
    `Patch row ${row}, column ${col}: component ${names.join(", ")}` +
    (foreground[index] ? "" : ", background") +
    `. Its mean similarity to all patches is ${mean(similar).toFixed(2)}. ${facts.note}`
  );
}

/** @param {Colours} colours */
function exposed({ loaded, similar }) {
  if (!loaded) return {};
  const { colouring, scene } = loaded;
  return {
    key: loaded.view.key,
    layer: loaded.layer,
    preset: colouring.preset,
    flip: colouring.flip,
    similar,
    scores: scene.scores,
    colours: scene.colours,
    foreground: scene.foreground,
    ratio: scene.ratio,
    config: scene.facts.config,
  };
}
