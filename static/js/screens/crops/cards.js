/* Every crop as the model gets it, with what was done to it. */
import { paintRgb } from "../../ui/canvas.js";
import { el } from "../../ui/dom.js";
import { capital, percent } from "../../ui/format.js";
import { roving } from "../../ui/roving.js";
import { colourOf, highlighted, patchesOf } from "./state.js";
import { describe, nameOf, steps } from "./sentences.js";

/** @typedef {import("./state.js").Loaded} Loaded */
/** @typedef {import("./state.js").CropsScene} CropsScene */

/** @param {{ hover: (crop: number | null) => void, pin: (crop: number | null) => void }} choosing */
export function createCards({ hover, pin }) {
  const node = el("div", {
    class: "inside-crops",
    role: "group",
    "aria-label": "The crops. Arrows go from one to the next, Enter keeps one.",
  });
  node.addEventListener("keydown", (event) => {
    if (event.key === "Escape") pin(null);
  });
  /** @type {{ card: HTMLButtonElement, canvas: HTMLCanvasElement }[]} */
  let cards = [];

  /** @param {CropsScene} scene @param {number} i */
  function makeCard(scene, i) {
    const crop = scene.facts.crops[i],
      patches = patchesOf(scene, crop),
      canvas = el("canvas", { class: "smooth" });
    paintRgb(canvas, scene[`pixels.${i}`], crop.size, crop.size);
    const card = el(
      "button",
      {
        type: "button",
        class: `inside-crop ${crop.kind}`,
        "aria-label": describe(crop, patches),
        style: `--crop:${colourOf(scene, i)};--patches:${patches}`,
        onpointerenter: () => hover(i),
        onpointerleave: () => hover(null),
        onfocusin: () => hover(i),
        onblur: () => hover(null),
        onclick: () => pin(i),
      },
      el("span", { class: "frame" }, canvas, el("i")),
      el("b", { text: capital(nameOf(crop)) }),
      el("span", { class: "words" }, ...shapeText(crop).map((text) => el("small", { text }))),
      el("span", { class: "steps" }, ...stepText(crop).map((text) => el("small", { text }))),
    );
    return { card, canvas };
  }

  return {
    node,
    /** The crops' pictures, in their order. */
    canvases: () => cards.map(({ canvas }) => canvas),

    /** Another scene. @param {CropsScene} scene */
    open(scene) {
      cards = scene.facts.crops.map((_, i) => makeCard(scene, i));
      node.replaceChildren(...cards.map(({ card }) => card));
      roving(
        cards.map(({ card }) => card),
        1, // up and down go on by one as well: rows differ in length
      );
    },

    /** @param {Loaded} loaded */
    draw(loaded) {
      const chosen = highlighted(loaded);
      cards.forEach(({ card }, i) => {
        card.classList.toggle("highlighted", chosen.includes(i));
        card.setAttribute("aria-pressed", String(i === loaded.pinned));
      });
    },
  };
}

/** @param {import("./state.js").Crop} crop */
function shapeText(crop) {
  const area = percent(crop.area_fraction, 0),
    aspect = `aspect ${crop.aspect.toFixed(2)}`;
  return crop.kind === "global" ? [`${area} of the area`, aspect] : [`${area}, ${aspect}`];
}

/** @param {import("./state.js").Crop} crop */
function stepText(crop) {
  const after = steps(crop);
  return after.length ? after : ["as it is"];
}
