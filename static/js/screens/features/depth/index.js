/* Through depth: all layers in colours that stay, and what the chosen patch attends to in each, layer by
   layer or as a film. */
import { fillLesson } from "../../../page/lesson.js";
import { fetchScene } from "../../../page/scenes.js";
import { selection } from "../../../page/selection.js";
import { el } from "../../../ui/dom.js";
import { keyHints } from "../../../ui/key-hints.js";
import { KEYS } from "../panels.js";
import { createControls } from "./controls.js";
import { createExports } from "./exports.js";
import { createFilm } from "./film.js";
import { createPictures } from "./pictures.js";
import { createPlayer } from "./player.js";
import { askedNow, describeLayer, exposed, scaled } from "./state.js";
import { attentionUrl, depthUrl, layerClustersUrl } from "./urls.js";

/** @typedef {import("./state.js").LoadedDepth} LoadedDepth */
/** @typedef {import("./state.js").DepthScene} DepthScene */
/** @typedef {import("./state.js").DepthClustersScene} DepthClustersScene */
/** @typedef {import("./state.js").DepthAttentionScene} DepthAttentionScene */

/** @param {import("../state.js").Screen} screen @returns {import("../state.js").Way} */
export function depthWay(screen) {
  const { state } = screen;
  const pictures = createPictures(screen.pointing),
    controls = createControls(screen),
    player = createPlayer(screen);
  const story = el("p", { class: "inside-details", "aria-live": "polite" });
  const node = el(
    "div",
    { class: "inside-left inside-way" },
    el("div", { class: "inside-controls" }, player.node, ...controls.above),
    el("div", { class: "inside-pair" }, ...pictures.nodes),
    keyHints(KEYS),
    story,
    controls.colours,
    createFilm(state),
  );
  /** @type {LoadedDepth | null} */
  let drawn = null;
  let asking = "", // what was asked for last
    shown = "";

  /** @param {import("../state.js").Request} request */
  async function load({ view, isOvertaken }) {
    const wanted = urls(state, view),
      { colouring } = state,
      { choice } = state.depth,
      asked = askedNow();
    const known = `${wanted} ${choice.picture}`;
    asking = known;
    if (known === shown) return;
    const [scene, clusters, rows] = await Promise.all([
      /** @type {Promise<DepthScene>} */ (fetchScene(wanted[0])),
      /** @type {Promise<DepthClustersScene>} */ (fetchScene(wanted[1])),
      /** @type {Promise<DepthAttentionScene>} */ (fetchScene(wanted[2])),
    ]);
    if (isOvertaken()) return;
    const loaded = { view, colouring, choice, asked, scene, clusters, ...scaled(rows) };
    shown = known;
    screen.update({ depth: { ...state.depth, loaded } });
    const near = scene.facts.cosine.slice(0, -1);
    fillLesson("features", { near: (near.length ? Math.min(...near) : 1).toFixed(2) });
  }

  function draw() {
    const { loaded } = state.depth,
      { view } = state;
    if (!loaded || !view) return;
    if (`${urls(state, view)} ${state.depth.choice.picture}` !== asking && screen.isSeen())
      screen.reload(); // another patch or head
    player.follow();
    const last = loaded.largest.length - 1,
      at = Math.min(state.depth.at ?? selection.layer ?? last, last);
    if (drawn !== loaded) {
      pictures.open(loaded);
      controls.draw(loaded);
      drawn = loaded;
    }
    pictures.draw(loaded, at);
    player.draw();
    story.setAttribute("aria-live", state.depth.at === null ? "polite" : "off");
    story.textContent = describeLayer(loaded, Math.round(at));
  }

  return {
    node,
    load,
    draw,
    isReady: () => state.depth.loaded !== null,
    resized: draw,
    needs: () => [],
    exposed: () => exposed(state.depth),
    exports: createExports(state, pictures.layers),
  };
}

/**
 * Where the three scenes are.
 *
 * @param {import("../state.js").State} state
 * @param {import("../state.js").View} view
 */
const urls = ({ colouring, depth, map }, view) =>
  /** @type {const} */ ([
    depthUrl(view, colouring, depth.choice),
    layerClustersUrl(view, map.choice.k),
    attentionUrl(view, askedNow()),
  ]);
