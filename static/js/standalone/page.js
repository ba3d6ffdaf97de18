/* One picture as one file: its attention and PCA, from what stands in the document itself.
   Written into a page by dino_core/figures/offline_page.py; no server, nothing is fetched. */
import { attend, firstPatch, meanOfHeads, tokenAt } from "../screens/attention/attend.js";
import { paintMap, paintRgb } from "../ui/canvas.js";
import { el } from "../ui/dom.js";
import { percent } from "../ui/format.js";
import { maximum } from "../ui/numbers.js";
import { PatchPicture } from "../ui/patch-picture.js";

/**
 * @typedef {object} Facts what dino_core/figures/offline_page.py says of the picture
 * @property {string} title
 * @property {string} words
 * @property {string} picture a data URL
 * @property {[number, number]} size [width, height], px
 * @property {[number, number]} grid [h, w] patches
 * @property {number} registers
 * @property {[number, number, number, number]} shape [T, A, N, c] of queries and keys
 * @property {number} scale of their products
 * @property {number} bytes of the packed numbers
 * @property {string[]} layers the words below the PCA of each layer
 */

/** @typedef {import("../types/scenes").attention.LayerScene} LayerScene */

/**
 * The bytes of a text in which two letters hold 13 bits; see `as_text` in offline_page.py.
 *
 * @param {string} text
 * @param {number} length
 */
export function unpacked(text, length) {
  const codes = Array.from({ length: 94 }, (_, i) => i + 33),
    alphabet = codes.filter((code) => !"&<>".includes(String.fromCharCode(code))),
    value = new Uint8Array(127);
  alphabet.forEach((code, i) => (value[code] = i));
  const bytes = new Uint8Array(length);
  for (let i = 0, at = 0, bits = 0, held = 0; at < length; i += 2) {
    const pair = alphabet.length * value[text.charCodeAt(i)] + value[text.charCodeAt(i + 1)];
    held = (held << 13) | pair;
    for (bits += 13; bits >= 8 && at < length; bits -= 8) bytes[at++] = held >> (bits - 8);
    held &= (1 << bits) - 1;
  }
  return bytes;
}

/** What the document holds, inflated. @param {string} text @param {number} length of it, packed */
async function inflate(text, length) {
  const packed = unpacked(text.trim(), length);
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Response(stream).arrayBuffer();
}

/**
 * The parts of the file, in the order of `offline_page.packed`: steps first, for they are aligned.
 *
 * @param {ArrayBuffer} bytes
 * @param {Facts} facts
 */
export function parts(bytes, { shape: [T, A, N, d], grid: [h, w] }) {
  const numbers = T * A * N * d;
  let at = 0;
  const next = (/** @type {number} */ length) => {
    at += length;
    return at - length;
  };
  return {
    steps: new Float32Array(bytes, next(4 * T * A), T * A),
    low: new Uint8Array(bytes, next(2 * numbers), 2 * numbers), // of queries, then of keys
    high: new Uint8Array(bytes, next(2 * numbers), 2 * numbers),
    colours: new Uint8Array(bytes, next(3 * T * h * w), 3 * T * h * w),
  };
}

/**
 * One layer's queries and keys as numbers.
 *
 * @param {ReturnType<typeof parts>} data
 * @param {Facts} facts
 * @param {number} layer
 * @returns {LayerScene}
 */
export function layerOf(data, { shape: [T, A, N, d], grid, registers, scale }, layer) {
  /** Channel by channel in the file, token by token here. @param {number} part 0: queries, 1: keys */
  const numbers = (part) => {
    const out = new Float32Array(A * N * d);
    let at = (part * T + layer) * A * d * N;
    for (let head = 0; head < A; head++)
      for (let i = 0; i < d; i++)
        for (let token = 0; token < N; token++, at++) {
          const folded = data.low[at] | (data.high[at] << 8),
            whole = (folded >> 1) ^ -(folded & 1);
          out[(head * N + token) * d + i] = whole * data.steps[layer * A + head];
        }
    return out;
  };
  /** @type {[number, number, number]} */
  const sizes = [A, N, d];
  return {
    facts: { layer, grid, registers, scale },
    shapes: { queries: sizes, keys: sizes },
    queries: numbers(0),
    keys: numbers(1),
  };
}

/**
 * @param {Facts} facts
 * @param {ReturnType<typeof parts>} data
 */
function start(facts, data) {
  const [T, A] = facts.shape,
    [h, w] = facts.grid;
  const state = { layer: T - 1, head: -1, pinned: /** @type {[number, number] | null} */ (null) };
  let scene = layerOf(data, facts, state.layer),
    /** @type {Float32Array} */ row;
  let under = /** @type {[number, number] | null} */ (null);
  const query = () => under ?? state.pinned;
  const patch = () => query() ?? /** @type {[null, null]} */ ([null, null]);

  const options = (/** @type {string} */ label) => ({
    label,
    from: patch,
    onhover: (/** @type {number} */ r, /** @type {number} */ c) => show({}, [r, c]),
    onleave: () => show({}, null),
    onpin: (/** @type {number} */ r, /** @type {number} */ c) => {
      const [a, b] = state.pinned ?? [-1, -1];
      show({ pinned: a === r && b === c ? null : [r, c] }, null);
    },
    describe: (/** @type {number} */ r, /** @type {number} */ c) =>
      `row ${r}, column ${c}: ${percent(row[firstPatch(scene) + r * w + c], 2)}`,
  });
  const attention = new PatchPicture(options("Attention; arrows move the patch that asks")),
    pca = new PatchPicture(options("Principal components as colours"));
  for (const view of [attention, pca]) view.show(facts.picture, facts.grid, facts.size);
  const words = el("figcaption", { "aria-live": "polite" }),
    below = el("figcaption");
  const controls = createControls({ T, A }, (change) => show(change, null));

  /** @param {Partial<typeof state>} change @param {[number, number] | null} at the pointer */
  function show(change, at) {
    Object.assign(state, change);
    under = at;
    if (scene.facts.layer !== state.layer) scene = layerOf(data, facts, state.layer);
    const [r, c] = patch(),
      rows = attend(scene, tokenAt(scene, r, c)),
      N = facts.shape[2];
    row =
      state.head < 0 ? meanOfHeads(rows, A) : rows.subarray(state.head * N, (state.head + 1) * N);
    const offset = firstPatch(scene),
      high = maximum(row, offset, h * w);
    paintMap(attention.overlay, row, { grid: facts.grid, offset, high });
    attention.overlay.style.opacity = "0.75";
    const first = 3 * state.layer * h * w;
    paintRgb(pca.overlay, data.colours.subarray(first, first + 3 * h * w), h, w);
    for (const view of [attention, pca]) view.mark(r, c, state.pinned !== null && !under);
    const asks = r === null ? "the class token" : `the patch in row ${r}, column ${c}`;
    words.textContent = `What ${asks} attends to, up to ${percent(high, 2)}`;
    below.textContent = facts.layers[state.layer];
    controls.set(state);
    Object.assign(document.body, { inside: { ...state, row: r, column: c, weights: row } });
  }

  document.body.replaceChildren(
    el("h1", { text: facts.title }),
    el("p", { text: facts.words }),
    controls.node,
    el(
      "div",
      { class: "views" },
      el("figure", {}, attention.node, words),
      el("figure", {}, pca.node, below),
    ),
  );
  show({}, null);
}

/**
 * @param {{ T: number, A: number }} counts
 * @param {(change: { layer?: number, head?: number, pinned?: null }) => void} change
 */
function createControls({ T, A }, change) {
  /** @type {HTMLInputElement} */
  const slider = el("input", {
    type: "range",
    min: 0,
    max: T - 1,
    "aria-label": "Layer",
    oninput: () => change({ layer: Number(slider.value) }),
  });
  const told = el("output");
  const heads = Array.from({ length: A }, (_, head) =>
    el("option", { value: head, text: `head ${head}` }),
  );
  /** @type {HTMLSelectElement} */
  const choice = el(
    "select",
    { "aria-label": "Head", onchange: () => change({ head: Number(choice.value) }) },
    el("option", { value: -1, text: "mean of all heads" }),
    ...heads,
  );
  /** @type {ReturnType<typeof setInterval> | null} */
  let playing = null;
  const play = el("button", {
    type: "button",
    text: "Play",
    onclick: () => {
      if (playing !== null) clearInterval(playing);
      playing =
        playing === null
          ? setInterval(() => change({ layer: (Number(slider.value) + 1) % T }), 600)
          : null;
      play.textContent = playing === null ? "Play" : "Stop";
    },
  });
  return {
    node: el(
      "div",
      { class: "controls" },
      el("label", {}, "Layer", slider, told),
      play,
      choice,
      el("button", {
        type: "button",
        text: "Class token",
        onclick: () => change({ pinned: null }),
      }),
    ),
    /** @param {{ layer: number, head: number }} state */
    set({ layer, head }) {
      slider.value = String(layer);
      told.textContent = `${layer} of 0–${T - 1}`;
      choice.value = String(head);
    },
  };
}

const told = globalThis.document?.getElementById("inside-facts"),
  held = globalThis.document?.getElementById("inside-data");
if (told && held) {
  /** @type {Facts} */
  const facts = JSON.parse(told.textContent ?? "");
  start(facts, parts(await inflate(held.textContent ?? "", facts.bytes), facts));
}
