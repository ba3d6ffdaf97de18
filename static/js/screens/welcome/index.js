/* The welcome: what a newcomer sees first. The sample in the colours that the model gives to its
   patches, how alike they are under the pointer, what this is in three sentences, and two doors. It is
   no step of the data's way and has no tab; whoever has another picture has gone past it. */
import { fetchScene, sceneUrl } from "../../page/scenes.js";
import { openExplorer } from "../../page/screens.js";
import { settings } from "../../settings.js";
import { button } from "../../ui/controls.js";
import { el } from "../../ui/dom.js";
import { rafThrottle } from "../../ui/frame.js";
import { keyHints, keysSentence } from "../../ui/key-hints.js";
import { legend } from "../../ui/legend.js";
import { PatchPicture } from "../../ui/patch-picture.js";
import { cosinesWith, unpacked } from "./arithmetic.js";
import { paintColours, paintLikeness } from "./painting.js";
import { caption, chosen, createState } from "./state.js";

/** @typedef {import("./state.js").State} State */

const WORDS = [
  "DINOv2 is a vision model that learned from pictures alone: nobody told it what is in them.",
  "Here is what it makes of one: each patch has the colour of what it means to the model, so that " +
    "like parts get like colours, and under the pointer you see which are alike.",
  "Follow a picture through it, this one or your own, from the first patch to a whole step of " +
    "training.",
];
const KEYS = /** @type {const} */ ([
  ["arrows", "move the patch"],
  ["Esc", "back to the colours"],
]);

/**
 * @param {HTMLElement} root
 * @param {import("../../page/screens.js").Page} page
 * @returns {import("../../page/screens.js").ScreenParts}
 */
export function create(root, page) {
  const { state, update } = createState(render);
  const point = rafThrottle((/** @type {State["pointed"]} */ pointed) => update({ pointed }));
  const picture = new PatchPicture({
    label: `The sample's patches in the colours of their principal components. ${keysSentence(KEYS)}.`,
    from: () => state.kept ?? [null, null],
    onhover: (row, col) => point([row, col]),
    onleave: () => point(null),
    onpin: (row, col) => update({ kept: [row, col], pointed: null }),
    onkey(key) {
      if (key !== "Escape") return false;
      update({ kept: null, pointed: null });
      return true;
    },
  });
  const line = el("span", { "aria-live": "polite" }),
    scale = legend("blue-red", "−1", "1");
  root.append(
    el(
      "div",
      { class: "inside-welcome", role: "region", "aria-label": "Welcome" },
      el("figure", {}, picture.node, el("figcaption", {}, line, keyHints(KEYS), scale)),
      el(
        "div",
        { class: "inside-greeting" },
        ...WORDS.map((text) => el("p", { text })),
        el(
          "div",
          { class: "inside-controls" },
          button("Take the path", () => document.getElementById("inside-to-path")?.click()),
          button("Explore", openExplorer),
        ),
      ),
    ),
  );

  /** @param {State} now */
  function render({ scene, vectors, kept }) {
    if (!scene) return;
    const patch = chosen(state),
      [h, w] = scene.facts.grid;
    const similar = patch && cosinesWith(vectors, scene.scales.length, patch[0] * w + patch[1]);
    if (similar) paintLikeness(picture.overlay, similar, [h, w]);
    else paintColours(picture.overlay, scene);
    picture.mark(patch?.[0] ?? null, patch?.[1] ?? null, patch === kept);
    line.textContent = caption(scene, patch);
    scale.classList.toggle("unused", !patch);
    page.expose({ grid: scene.facts.grid, patch, similar });
  }

  return {
    lazy: true, // never behind another screen
    async show({ key, input_size }) {
      if (key !== settings.first?.key) return openExplorer(); // somebody has a picture already
      /** @type {import("./state.js").WelcomeScene} */
      const scene = await fetchScene(sceneUrl(key, "welcome"));
      picture.show(sceneUrl(key, "source.jpg"), scene.facts.grid, input_size);
      update({ scene, vectors: unpacked(scene), pointed: null, kept: null });
    },
  };
}
