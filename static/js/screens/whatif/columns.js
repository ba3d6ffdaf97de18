/* A scene as a column of small maps, for scenes side by side: each row has one range of colours. */
import { paintMap, paintRgb } from "../../ui/canvas.js";
import { el } from "../../ui/dom.js";
import { maximum } from "../../ui/numbers.js";
import { changeOf, meanOfHeads } from "./numbers.js";

/** @typedef {import("./state.js").WhatIfScene} WhatIfScene */
/** @typedef {{ attention: number, change: number }} High the largest value of each kind of map */
/** @typedef {keyof typeof PAINT} Row */

const patchesOf = (/** @type {WhatIfScene} */ { facts: { grid } }) => grid[0] * grid[1];

/** @param {(scene: WhatIfScene) => Float32Array} attention */
const attentionMap =
  (attention) =>
  (
    /** @type {HTMLCanvasElement} */ canvas,
    /** @type {WhatIfScene} */ scene,
    /** @type {High} */ { attention: high },
  ) =>
    paintMap(canvas, meanOfHeads(attention(scene), patchesOf(scene)), {
      grid: scene.facts.grid,
      high,
    });

/** @param {(scene: WhatIfScene) => Uint8Array} colours */
const coloursMap =
  (colours) => (/** @type {HTMLCanvasElement} */ canvas, /** @type {WhatIfScene} */ scene) =>
    paintRgb(canvas, colours(scene), ...scene.facts.grid);

const PAINT = {
  "Attention before": attentionMap((scene) => scene.attention_before),
  "Attention after": attentionMap((scene) => scene.attention_after),
  "Features before": coloursMap((scene) => scene.colours_before),
  "Features after": coloursMap((scene) => scene.colours_after),
  Change: (
    /** @type {HTMLCanvasElement} */ canvas,
    /** @type {WhatIfScene} */ scene,
    /** @type {High} */ { change: high },
  ) => paintMap(canvas, changeOf(scene), { grid: scene.facts.grid, high }),
};

/** @param {readonly WhatIfScene[]} scenes @param {readonly Row[]} rows @returns {High} */
export function highOf(scenes, rows) {
  const most = (/** @type {(scene: WhatIfScene) => Float32Array} */ of) =>
    Math.max(...scenes.map((scene) => maximum(of(scene), 0, patchesOf(scene))));
  const after = most((scene) => meanOfHeads(scene.attention_after, patchesOf(scene)));
  const before = rows.includes("Attention before")
    ? most((scene) => meanOfHeads(scene.attention_before, patchesOf(scene)))
    : 0;
  return { attention: Math.max(before, after), change: most(changeOf) };
}

/**
 * @param {WhatIfScene} scene
 * @param {object} column
 * @param {Node} column.head
 * @param {string} column.name
 * @param {readonly Row[]} column.rows
 * @param {High} column.high
 */
export function sceneColumn(scene, { head, name, rows, high }) {
  const [h, w] = scene.facts.grid;
  const maps = rows.map((what) => {
    const canvas = el("canvas", {
      role: "img",
      "aria-label": `${what}, ${name}`,
      title: what,
      style: `aspect-ratio:${w}/${h}`,
    });
    PAINT[what](canvas, scene, high);
    return canvas;
  });
  return el(
    "figure",
    {},
    el("figcaption", {}, head),
    ...maps,
    el("p", { class: "inside-number" }, el("b", { text: scene.facts.cls_cosine.toFixed(3) })),
    el("p", {
      class: "inside-quiet",
      text: `patches ${scene.facts.patch_cosine_mean.toFixed(3)}`,
    }),
  );
}
