/* The crop with the blocks that hide it, drawn one by one; pointer and keys. */
import { paintRgb } from "../../ui/canvas.js";
import { el, svg } from "../../ui/dom.js";
import { percent } from "../../ui/format.js";
import { keyHints, keysSentence } from "../../ui/key-hints.js";
import { tip } from "../../ui/tooltip.js";
import { ownersOf, ownPatches } from "./owners.js";
import { currentMask, isLoaded, stepNow } from "./state.js";

/** @typedef {import("./state.js").State} State */
/** @typedef {import("./state.js").Loaded} Loaded */

/** @type {import("../../ui/key-hints.js").KeyHints} */
const KEYS = [
  ["← →", "take blocks away and add them"],
  ["Home End", "none, all"],
  ["Space", "plays"],
];

/**
 * @param {State} state
 * @param {(event: KeyboardEvent) => unknown} onkeydown
 */
export function createPicture(state, onkeydown) {
  const crop = el("canvas", { class: "smooth" }),
    lines = svg("path", { class: "lines" }),
    blocks = svg("g"),
    drawing = svg("svg", { "aria-hidden": "true" }, svg("defs", {}, hatch()), lines, blocks);
  /** @type {HTMLElement} */
  const node = el(
    "div",
    {
      class: "inside-picture plain masks",
      tabindex: "0",
      role: "application",
      "aria-roledescription": "crop in patches",
      "aria-label": `The crop and the blocks that hide it. ${keysSentence(KEYS)}.`,
      onkeydown,
      onpointermove: (event) => {
        if (isLoaded(state)) tip(node, event, describePatch(state, patchUnder(node, event, state)));
      },
      onpointerleave: (event) => tip(node, event, null),
    },
    crop,
    drawing,
  );

  return {
    node,
    crop,
    keys: keyHints(KEYS),

    /** Another scene. @param {Loaded} loaded */
    open({ scene }) {
      const [h, w] = scene.facts.grid,
        [size] = scene.shapes.pixels;
      paintRgb(crop, scene.pixels, size, size);
      node.style.aspectRatio = `${w} / ${h}`;
      node.style.setProperty("--ratio", String(w / h));
      drawing.setAttribute("viewBox", `0 0 ${w} ${h}`);
      const across = Array.from({ length: h - 1 }, (_, i) => `M0 ${i + 1}H${w}`),
        down = Array.from({ length: w - 1 }, (_, i) => `M${i + 1} 0V${h}`);
      lines.setAttribute("d", [...down, ...across].join(""));
    },

    /** Another mask: its blocks are built once, and hidden or shown by the steps. @param {Loaded} loaded */
    build(loaded) {
      const mask = currentMask(loaded),
        places = ownPatches(mask.blocks, loaded.scene.facts.grid);
      blocks.replaceChildren(...mask.blocks.map((block, i) => drawnBlock(block, i, places[i])));
    },

    /** @param {Loaded} loaded */
    draw(loaded) {
      const step = stepNow(loaded);
      [...blocks.children].forEach((block, i) => {
        block.classList.toggle("on", i < step);
        block.classList.toggle("newest", i === step - 1);
      });
    },
  };
}

const hatch = () =>
  svg(
    "pattern",
    {
      id: "inside-hatch",
      width: 0.36,
      height: 0.36,
      patternUnits: "userSpaceOnUse",
      patternTransform: "rotate(45)",
    },
    svg("rect", { class: "ground", width: 0.36, height: 0.36 }),
    svg("rect", { class: "stripe", width: 0.1, height: 0.36 }),
  );

/**
 * @param {readonly number[]} block
 * @param {number} i
 * @param {ReturnType<typeof ownPatches>[number]} place
 */
function drawnBlock([top, left, height, width, fresh], i, { own, label: [row, col] }) {
  const rect = { x: left, y: top, width, height },
    x = col + 0.5;
  return svg(
    "g",
    { class: "block" },
    svg("path", { class: "fresh", d: own.map(([r, c]) => `M${c} ${r}h1v1h-1z`).join("") }),
    svg("rect", { ...rect, class: "halo" }),
    svg("rect", { ...rect, class: "edge" }),
    svg("text", { x, y: row + 0.5, class: "order" }, String(i)),
    svg("text", { x, y: row + 0.87, class: "fresh-count" }, `+${fresh}`),
  );
}

/** @param {HTMLElement} node @param {PointerEvent} event @param {Loaded} state @returns {[number, number]} */
function patchUnder(node, event, { scene }) {
  const box = node.getBoundingClientRect(),
    [h, w] = scene.facts.grid;
  const within = (/** @type {number} */ value, /** @type {number} */ count) =>
    Math.min(Math.max(Math.floor(value), 0), count - 1);
  return [
    within(((event.clientY - box.top) / box.height) * h, h),
    within(((event.clientX - box.left) / box.width) * w, w),
  ];
}

/** The words beside the pointer. @param {Loaded} state @param {[number, number]} patch */
function describePatch(state, [row, col]) {
  const { scene, member } = state,
    { grid, draws } = scene.facts,
    at = row * grid[1] + col,
    by = ownersOf(currentMask(state).blocks.slice(0, stepNow(state)), grid)[at];
  const often =
    member === null ? `\nhidden in ${percent(scene.hidden_share[at], 0)} of ${draws} draws` : "";
  return `row ${row}, column ${col}\n${by ? `hidden by block ${by - 1}` : "visible"}${often}`;
}
