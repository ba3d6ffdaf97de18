/* The masks of a batch: 8 pictures with two global crops each, of which exactly half are masked. */
import { button } from "../../ui/controls.js";
import { el, penOf } from "../../ui/dom.js";
import { percent, plural } from "../../ui/format.js";
import { roving } from "../../ui/roving.js";
import { createSpread } from "./spread.js";

/** @typedef {import("./state.js").MasksScene} MasksScene */

const SIDE = 112; // px of a small picture
const HIDDEN = "rgb(99 101 158)"; // between the two colours of the large pictures' stripes

/** The batch holds the first crop of all pictures, then the second. @param {number} i */
export const placeOf = (i) => `Picture ${i % 8}, global crop ${i < 8 ? 0 : 1}`;

/** @param {(index: number | null) => unknown} onpick which crop was chosen; null: the slider's mask */
export function createBatch(onpick) {
  const pictures = el("div", {
    class: "inside-batch",
    role: "group",
    "aria-label":
      "The 16 global crops of a batch. Arrows go from one to the next, Enter shows its mask.",
  });
  const said = el("p", { class: "inside-note" }),
    spread = createSpread(),
    back = button("Back to the mask of the slider", () => onpick(null));
  const node = el(
    "section",
    {},
    el("h2", { text: "A batch of 8 pictures: exactly half of its 16 global crops are masked" }),
    pictures,
    el("div", { class: "inside-controls" }, said, back),
    spread.node,
  );
  pictures.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && chosen() !== null) onpick(null);
  });
  /** @type {HTMLButtonElement[]} */
  let buttons = [];

  /** @param {MasksScene} scene @param {number} i @param {HTMLCanvasElement} crop */
  function crops(scene, i, crop) {
    const { target, achieved } = scene.facts.batch_masks[i],
      words = target ? `${target} wanted, ${achieved} hidden` : "stays whole",
      [h, w] = scene.facts.grid,
      share = target ? percent(achieved / (h * w), 0) : "whole";
    const describe = (/** @type {number | null} */ pointed) => {
      said.textContent = numbersOf(scene, pointed ?? chosen());
    };
    return el(
      "button",
      {
        type: "button",
        "aria-label": `${placeOf(i)}: ${words}`,
        title: words,
        onclick: () => onpick(i),
        onpointerenter: () => describe(i),
        onfocusin: () => describe(i),
        onpointerleave: () => describe(null),
        onblur: () => describe(null),
      },
      smallPicture(scene, i, crop),
      el("span", { text: share }),
    );
  }

  /** The crop whose mask is shown above. */
  function chosen() {
    const at = buttons.findIndex((one) => one.getAttribute("aria-pressed") === "true");
    return at < 0 ? null : at;
  }

  return {
    node,

    /**
     * Another scene; every mask of the batch is shown on the same crop.
     *
     * @param {MasksScene} scene
     * @param {HTMLCanvasElement} crop
     */
    open(scene, crop) {
      buttons = scene.facts.batch_masks.map((_, i) => crops(scene, i, crop));
      const half = buttons.length / 2;
      pictures.replaceChildren(
        el("span", { text: "global 0" }),
        ...buttons.slice(0, half),
        el("span", { text: "global 1" }),
        ...buttons.slice(half),
      );
      roving(buttons, half);
      spread.draw(scene.facts);
    },

    /** @param {MasksScene} scene @param {number | null} member */
    draw(scene, member) {
      buttons.forEach((one, i) => one.setAttribute("aria-pressed", String(i === member)));
      back.hidden = member === null;
      said.textContent = numbersOf(scene, member);
    },
  };
}

/** @param {MasksScene} scene @param {number} i @param {HTMLCanvasElement} crop */
function smallPicture(scene, i, crop) {
  const canvas = el("canvas", { class: "smooth", width: SIDE, height: SIDE }),
    context = penOf(canvas),
    [h, w] = scene.facts.grid;
  const edge = (/** @type {number} */ k, /** @type {number} */ n) => Math.round((SIDE * k) / n);
  context.drawImage(crop, 0, 0, SIDE, SIDE);
  context.fillStyle = HIDDEN;
  for (let patch = 0; patch < h * w; patch++) {
    if (!scene.batch[i * h * w + patch]) continue;
    const row = Math.floor(patch / w),
      col = patch % w,
      [x, y] = [edge(col, w), edge(row, h)];
    context.fillRect(x, y, edge(col + 1, w) - x, edge(row + 1, h) - y);
  }
  return canvas;
}

/** The numbers of a crop of the batch, in words. @param {MasksScene} scene @param {number | null} i */
function numbersOf(scene, i) {
  if (i === null)
    return "Point at a crop for its numbers; a click shows its mask above, on the same crop.";
  const { target, achieved, rejected } = scene.facts.batch_masks[i];
  return target
    ? `${placeOf(i)}: ${plural(target, "patch", "patches")} wanted, ${achieved} hidden, ` +
        `${plural(rejected, "try", "tries")} not kept.`
    : `${placeOf(i)} stays whole.`;
}
