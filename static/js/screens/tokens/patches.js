/* Patches: the picture as cut, what a filter says of each patch, and how it was fitted to whole ones. */
import { sceneUrl } from "../../page/scenes.js";
import { selectedPatch } from "../../page/selection.js";
import { flatten, paintMap } from "../../ui/canvas.js";
import { el, svg } from "../../ui/dom.js";
import { signed } from "../../ui/format.js";
import { keyHints, keysSentence } from "../../ui/key-hints.js";
import { legend } from "../../ui/legend.js";
import { PatchPicture } from "../../ui/patch-picture.js";
import { reach, respond } from "./embed.js";
import { createEmbedding } from "./embedding.js";
import { createFilters } from "./filters.js";
import { paintFits } from "./fits.js";

/** @typedef {import("./state.js").State} State */
/** @typedef {import("./state.js").Patches} Patches */
/** @typedef {ReturnType<typeof import("./numbers.js").patchNumbers>} PatchNumbers */

/** @type {import("../../ui/key-hints.js").KeyHints} */
const KEYS = [
  ["arrows", "move the patch"],
  ["Enter", "keeps it"],
  ["Esc", "the patch in the middle"],
];
const OVERLAY = 0.85;

/**
 * @param {State} state
 * @param {import("./state.js").Update} update
 * @param {import("./index.js").Choosing} choosing
 */
export function createPatches(state, update, choosing) {
  const picture = new PatchPicture({
    from: selectedPatch,
    label: `The picture in patches. ${keysSentence(KEYS)}.`,
    ...choosing,
    describe: (row, col) => describePatch(state, row, col),
  });
  picture.overlay.style.opacity = String(OVERLAY);
  const cuts = svg("path"),
    lines = svg("svg", { class: "inside-cuts", preserveAspectRatio: "none" }, cuts);
  picture.overlay.after(lines);
  const legendPlace = el("div", { class: "inside-token-legend" }),
    story = el("p", { class: "inside-details", "aria-live": "polite" }),
    fits = el("div", { class: "inside-fits" });
  const embedding = createEmbedding(state, update),
    filters = createFilters(state, update);
  const node = el(
    "div",
    { class: "inside-part inside-columns" },
    el(
      "div",
      { class: "inside-left" },
      picture.node,
      legendPlace,
      story,
      keyHints(KEYS),
      el("h2", { text: "Fitting the picture to whole patches" }),
      fits,
    ),
    el("div", { class: "inside-left" }, embedding.node, filters.node),
  );

  /** Another picture. @param {Patches} held */
  function open({ view, scene, source }) {
    const [h, w] = view.grid;
    picture.show(sceneUrl(view.key, "input.jpg"), view.grid, view.input_size);
    lines.setAttribute("viewBox", `0 0 ${w} ${h}`);
    cuts.setAttribute("d", cutLines(h, w));
    paintFits(fits, scene.facts, source);
  }

  return {
    node,

    /** @param {Partial<State>} change */
    draw(change) {
      const held = state.patches,
        numbers = state.patchNumbers;
      if (!held || !numbers) return;
      if (change.patches) open(held);
      picture.mark(numbers.row, numbers.col, numbers.kept);
      story.textContent = storyOf(held, numbers);
      drawResponse(held, numbers);
      embedding.draw(held, numbers);
      filters.draw(held, numbers, change);
    },

    png: () => (state.filter ? flatten(picture.picture, picture.overlay, OVERLAY) : filters.png()),
  };

  /** @param {Patches} held @param {PatchNumbers} numbers */
  function drawResponse({ scene }, { response }) {
    picture.overlay.hidden = !response;
    lines.style.display = response ? "none" : "";
    legendPlace.style.visibility = response ? "visible" : "hidden";
    if (!response) return;
    const high = reach(response);
    paintMap(picture.overlay, response, {
      grid: scene.facts.grid,
      low: -high,
      high,
      colours: "blue-red",
    });
    legendPlace.replaceChildren(legend("blue-red", signed(-high), signed(high)));
  }
}

/** Lines between the patches: one path, sharp at any size. @param {number} h @param {number} w */
const cutLines = (h, w) =>
  Array.from({ length: h - 1 }, (_, i) => `M0 ${i + 1}H${w}`).join("") +
  Array.from({ length: w - 1 }, (_, i) => `M${i + 1} 0V${h}`).join("");

/** @param {Patches} held @param {PatchNumbers} numbers */
function storyOf({ scene }, { filter }) {
  const {
    grid: [h, w],
    patch_size: p,
  } = scene.facts;
  return (
    `${h} rows of ${w} patches, ${p} × ${p} px each: ${h * w} patches of ${3 * p * p} numbers. ` +
    (filter
      ? "Red: the filter's weights agree with the patch; blue: they oppose it."
      : "Choose a filter to see what it says of every patch.")
  );
}

/**
 * The words beside the pointer.
 *
 * @param {State} state
 * @param {number} row
 * @param {number} col
 */
function describePatch({ patches, filter }, row, col) {
  if (!patches) return null;
  const { scene, pixels } = patches,
    patch = row * scene.facts.grid[1] + col;
  const lines = [
    `row ${row}, column ${col}`,
    `embedding: length ${scene.embedding_norms[patch].toFixed(2)}`,
  ];
  if (filter && filter.index < scene.shapes[filter.kind][0])
    lines.push(
      `${filter.kind === "filters" ? "filter" : "component"}: ` +
        `${signed(respond(scene, pixels, filter)[patch])}`,
    );
  return lines.join("\n");
}
