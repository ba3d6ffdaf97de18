/* One patch close up: its pixels, and the vector that the filters make of them. */
import { paintMap, paintRgb } from "../../ui/canvas.js";
import { el } from "../../ui/dom.js";
import { signed } from "../../ui/format.js";
import { tableRow } from "../../ui/table.js";
import { Atlas } from "./atlas.js";
import { reach, strongest } from "./embed.js";
import { choiceOfFilter } from "./state.js";

/** @typedef {import("./patches.js").PatchNumbers} PatchNumbers */
/** @typedef {import("./state.js").PatchesScene} PatchesScene */

const COLUMNS = 64; // numbers of an embedding in a row

/**
 * @param {import("./state.js").State} state
 * @param {import("./state.js").Update} update
 */
export function createEmbedding(state, update) {
  const close = el("canvas", { class: "inside-close", role: "img" }),
    facts = el("tbody"),
    numbers = el("p", { class: "inside-quiet" });
  const strip = new Atlas({
    label:
      "The numbers of this patch's embedding, one a filter. Arrows move, Enter chooses the " +
      "filter, Escape lets go.",
    onchoose: (index) => update(choiceOfFilter(state, { kind: "filters", index })),
    onrelease: () => update({ filter: null, pointed: null }),
    describe: (index) => {
      const value = state.patchNumbers?.embedding[index];
      return value === undefined ? null : `filter ${index}: ${signed(value, 3)}`;
    },
  });
  const node = el(
    "div",
    { class: "inside-left" },
    el("h2", { text: "The patch, and what the filters make of it" }),
    el(
      "div",
      { class: "inside-token-patch" },
      close,
      el("table", { class: "inside-table" }, facts),
    ),
    strip.node,
    numbers,
  );

  /** @param {PatchesScene} scene @param {PatchNumbers} now */
  function drawClose(scene, { row, col }) {
    const p = scene.facts.patch_size;
    paintRgb(close, pixelsOf(scene, row, col), p, p);
    close.setAttribute(
      "aria-label",
      `The ${p} by ${p} pixels of the patch in row ${row}, column ${col}`,
    );
  }

  /** @param {PatchNumbers} now */
  function drawStrip({ embedding, filter }) {
    const D = embedding.length,
      rows = Math.ceil(D / COLUMNS),
      high = reach(embedding),
      padded = new Float32Array(rows * COLUMNS);
    padded.set(embedding);
    strip.resize(rows, COLUMNS);
    paintMap(strip.overlay, padded, {
      grid: strip.grid,
      low: -high,
      high,
      colours: "blue-red",
    });
    strip.markCell(filter?.kind === "filters" ? filter.index : null, filter === state.filter);
    const best = strongest(embedding),
      first = [...embedding.subarray(0, 6)].map((value) => signed(value, 3)).join(", ");
    numbers.textContent =
      `${D} numbers: ${first}, …  The strongest is ` +
      `${signed(embedding[best], 3)}, by filter ${best}.`;
  }

  return {
    node,

    /** @param {import("./state.js").Patches} held @param {PatchNumbers} now */
    draw({ scene }, now) {
      const { row, col, patch } = now,
        p = scene.facts.patch_size;
      drawClose(scene, now);
      drawStrip(now);
      facts.replaceChildren(
        tableRow("patch", `row ${row}, column ${col}`),
        tableRow(
          "pixels",
          `x ${col * p} to ${col * p + p - 1}, y ${row * p} to ${row * p + p - 1}`,
        ),
        tableRow("length of the embedding", scene.embedding_norms[patch].toFixed(3)),
        tableRow("length of its position", scene.position_norms[patch].toFixed(3)),
        tableRow("length of their sum", scene.token_norms[patch].toFixed(3)),
      );
    },
  };
}

/**
 * The pixels of a patch, bytes [p * p * 3].
 *
 * @param {PatchesScene} scene
 * @param {number} row
 * @param {number} col
 */
function pixelsOf({ pixels, shapes, facts }, row, col) {
  const p = facts.patch_size,
    W = shapes.pixels[1],
    rgb = new Uint8Array(3 * p * p);
  for (let y = 0; y < p; y++) {
    const from = 3 * ((row * p + y) * W + col * p);
    rgb.set(pixels.subarray(from, from + 3 * p), 3 * y * p);
  }
  return rgb;
}
