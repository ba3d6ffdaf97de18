/* The walk through the blocks: how long every token is, and which patches stand out. */
import { sceneUrl } from "../../page/scenes.js";
import { select, selectedPatch, selection } from "../../page/selection.js";
import { flatten, paintMap } from "../../ui/canvas.js";
import { slider } from "../../ui/controls.js";
import { el, penOf, svg } from "../../ui/dom.js";
import { threeDigits } from "../../ui/format.js";
import { keyHints, keysSentence } from "../../ui/key-hints.js";
import { legend } from "../../ui/legend.js";
import { PatchPicture } from "../../ui/patch-picture.js";
import { createBlockTables } from "./block-tables.js";
import { createGrowth } from "./growth.js";
import { firstPatch, normOf, stepCount } from "./lengths.js";
import { stepOf } from "./numbers.js";

/** @typedef {import("./state.js").State} State */
/** @typedef {import("./state.js").Update} Update */
/** @typedef {import("./state.js").Blocks} Blocks */
/** @typedef {ReturnType<typeof import("./numbers.js").blockNumbers>} BlockNumbers */

/** @type {import("../../ui/key-hints.js").KeyHints} */
const KEYS = [
  ["arrows", "move the patch"],
  ["Enter", "keeps it"],
  ["[ ]", "block"],
  ["Esc", "the patch in the middle"],
];
const RADIUS = 0.38; // of a ring, in patches

/**
 * Goes to a step of the walk: 0 enters the first block, l + 1 leaves block l.
 *
 * @param {Update} update
 * @param {number} step
 */
function goToStep(update, step) {
  if (step === 0 || selection.layer === step - 1) update({ before: step === 0 });
  else select({ layer: step - 1 });
}

/** Some steps on. @param {State} state @param {Update} update @param {number} by */
export function moveStep(state, update, by) {
  if (!state.blocks) return;
  const last = stepCount(state.blocks.scene) - 1;
  goToStep(update, Math.min(Math.max(stepOf(state, last + 1) + by, 0), last));
}

/**
 * @param {State} state
 * @param {Update} update
 * @param {import("./index.js").Choosing} choosing
 */
export function createBlocks(state, update, choosing) {
  const picture = new PatchPicture({
    from: selectedPatch,
    label: `How long the patch tokens are. ${keysSentence(KEYS)}.`,
    ...choosing,
    describe: (row, col) => describePatch(state, row, col),
  });
  const rings = svg("svg", { class: "inside-rings", preserveAspectRatio: "none" });
  picture.overlay.after(rings);
  const legendPlace = el("div", { class: "inside-token-legend" }),
    story = el("p", { class: "inside-details", "aria-live": "polite" }),
    growth = createGrowth(state, (step) => goToStep(update, step)),
    tables = createBlockTables();
  const steps = slider("After", {
    min: -1,
    max: 11,
    value: 11,
    format: (value) => (value < 0 ? "no block" : `block ${value}`),
    oninput: (value) => goToStep(update, value + 1),
  });
  const overlay = slider("Overlay", {
    max: 1,
    step: 0.05,
    value: state.strength,
    format: (value) => `${Math.round(100 * value)} %`,
    oninput: (strength) => update({ strength }),
  });
  const left = el(
    "div",
    { class: "inside-left" },
    picture.node,
    legendPlace,
    el("div", { class: "inside-controls" }, steps.node, overlay.node),
    story,
    keyHints(KEYS),
  );
  const node = el(
    "div",
    { class: "inside-part inside-blocks" },
    el("div", { class: "inside-columns" }, left, growth.node),
    tables.node,
  );

  return {
    node,

    /** @param {Partial<State>} change */
    draw(change) {
      const held = state.blocks,
        numbers = state.blockNumbers;
      if (!held || !numbers) return;
      const { view, scene } = held;
      if (change.blocks) {
        picture.show(sceneUrl(view.key, "input.jpg"), view.grid, view.input_size);
        steps.limit(view.layers - 1);
      }
      steps.set(numbers.step - 1);
      drawPicture(picture, held, numbers);
      picture.overlay.style.opacity = String(state.strength);
      drawRings(rings, scene.facts.grid, numbers.outliers);
      const [low, high] = [Math.min(...numbers.norms), numbers.longest];
      legendPlace.replaceChildren(legend("magma", threeDigits(low), threeDigits(high)));
      story.textContent = storyOf(scene, numbers);
      growth.draw(held, numbers, change);
      tables.draw(scene, numbers);
    },

    /** The map with its rings, which are no part of the overlay's canvas. */
    png() {
      const canvas = flatten(picture.picture, picture.overlay, state.strength);
      if (state.blocks && state.blockNumbers)
        strokeRings(canvas, state.blocks.scene.facts.grid[1], state.blockNumbers.outliers);
      return canvas;
    },
  };
}

/** @param {PatchPicture} picture @param {Blocks} held @param {BlockNumbers} numbers */
function drawPicture(picture, { scene }, { row, col, kept, norms, longest }) {
  paintMap(picture.overlay, norms, {
    grid: scene.facts.grid,
    low: Math.min(...norms),
    high: longest,
  });
  picture.mark(row, col, kept);
}

/**
 * A ring around every outlier, white on black, in units of patches.
 *
 * @param {SVGElement} place
 * @param {readonly [number, number]} grid
 * @param {readonly number[]} outliers
 */
function drawRings(place, [h, w], outliers) {
  place.setAttribute("viewBox", `0 0 ${w} ${h}`);
  const side = 2 * RADIUS;
  place.replaceChildren(
    ...["under", "over"].flatMap((look) =>
      outliers.map((patch) =>
        svg("rect", {
          class: look,
          x: (patch % w) + 0.5 - RADIUS,
          y: Math.floor(patch / w) + 0.5 - RADIUS,
          width: side,
          height: side,
          rx: RADIUS,
        }),
      ),
    ),
  );
}

/** @param {HTMLCanvasElement} canvas @param {number} w patches across @param {readonly number[]} outliers */
function strokeRings(canvas, w, outliers) {
  const context = penOf(canvas),
    k = canvas.width / w;
  context.globalAlpha = 1;
  context.strokeStyle = "#fff";
  context.lineWidth = 2;
  for (const patch of outliers) {
    context.beginPath();
    const [x, y] = [(patch % w) + 0.5, Math.floor(patch / w) + 0.5];
    context.arc(x * k, y * k, RADIUS * k, 0, 2 * Math.PI);
    context.stroke();
  }
}

/** @param {Blocks["scene"]} scene @param {BlockNumbers} numbers */
function storyOf(scene, { row, col, step, norm, norms, median, threshold, longest, outliers }) {
  const z = (norm - median) / scene.sigma[step],
    where = step === 0 ? "Before the first block" : `After block ${step - 1}`,
    far = `${Math.abs(z).toFixed(1)} σ ${z < 0 ? "below" : "above"} the median`,
    limit = `${threeDigits(threshold)} = median + ${scene.facts.sigmas} σ`;
  return (
    `${where}, patch row ${row}, column ${col} has length ${threeDigits(norm)}, ${far} of ` +
    `${threeDigits(median)}` +
    `${norm > threshold ? ": an outlier" : ""}. ${outliers.length} of ${norms.length} patches ` +
    `are outliers, longer than ${limit}; ` +
    `the longest has ${(longest / median).toFixed(2)} × the median.`
  );
}

/**
 * The words beside the pointer.
 *
 * @param {State} state
 * @param {number} row
 * @param {number} col
 */
function describePatch(state, row, col) {
  if (!state.blocks) return null;
  const { scene } = state.blocks,
    step = stepOf(state, stepCount(scene)),
    norm = normOf(scene, step, firstPatch(scene) + row * scene.facts.grid[1] + col);
  return (
    `row ${row}, column ${col}\nlength ${threeDigits(norm)}, ` +
    `${(norm / scene.median[step]).toFixed(2)} × median` +
    (norm > scene.threshold[step] ? "\noutlier" : "")
  );
}
