/* Crops: the boxes on the picture, every crop beside it with what was done to it.

   Everything shown is what the sampler decided: boxes, flips and operations come with the scene. */
import { fillLesson } from "../../page/lesson.js";
import { el } from "../../ui/dom.js";
import { debounce } from "../../ui/frame.js";
import { createCards } from "./cards.js";
import { createChoosing } from "./choosing.js";
import { createControls } from "./controls.js";
import { createDraws } from "./draws.js";
import { createExports } from "./exports.js";
import { exposed } from "./exposed.js";
import { createLikelihood } from "./likelihood.js";
import { createLoading } from "./loading.js";
import { createOverlap } from "./overlap.js";
import { createPicture } from "./picture.js";
import { createSliders } from "./sliders.js";
import { createState, highlighted, isLoaded, isWaiting } from "./state.js";
import { describeChosen, lessonNumbers } from "./sentences.js";

/** @typedef {import("./state.js").State} State */

/**
 * @param {HTMLElement} root
 * @param {import("../../page/screens.js").Page} page
 * @returns {import("../../page/screens.js").ScreenParts}
 */
export function create(root, page) {
  const { state, update } = createState(render),
    loading = createLoading(state, update, { page, wantsDraws: () => more.open }),
    load = () => page.run(loading.load),
    choosing = createChoosing(state, update);
  const picture = createPicture(state, choosing),
    cards = createCards(choosing),
    overlap = createOverlap((pair) => update({ pair })),
    likelihood = createLikelihood(),
    sliders = createSliders(state, update, debounce(load, 90)),
    draws = createDraws(),
    controls = createControls(state, update, load),
    take = createExports(state, picture.picture, cards.canvases);
  const details = el("p", { class: "inside-details", "aria-live": "polite" });
  /** @type {HTMLDetailsElement} */
  const more = el(
    "details",
    { class: "inside-more", ontoggle: () => more.open && page.run(loading.loadDraws) },
    el("summary", { text: "More: sizes, areas, and many draws" }),
    sliders.node,
    el("h2", { text: "Area and aspect over many draws" }),
    draws.node,
  );
  const left = [picture.node, controls.node, details, picture.keys, overlap.node];
  const columns = el(
    "div",
    { class: "inside-columns crops" },
    el("div", { class: "inside-left" }, ...left),
    cards.node,
  );
  root.append(columns, likelihood.node, more, take.node);

  /** @param {State} now @param {Partial<State>} change */
  function render(now, change) {
    const waiting = String(now.scene !== null && isWaiting(now));
    for (const part of [columns, likelihood.node]) part.setAttribute("aria-busy", waiting);
    if (!isLoaded(now)) return;
    if (change.scene) {
      picture.open(now);
      cards.open(now.scene);
      overlap.open(now.scene);
      likelihood.open(now.scene.facts);
      fillLesson("crops", lessonNumbers(now));
    }
    if (change.scene || change.options) sliders.draw(now.scene.facts);
    if (change.scene || "charts" in change) draws.draw(now);
    controls.draw(now);
    picture.draw(now);
    cards.draw(now);
    overlap.draw(highlighted(now));
    details.textContent = describeChosen(now);
    page.expose(exposed(now));
    take.refresh();
  }

  return {
    show(view) {
      update({ view });
      return loading.load();
    },
  };
}
