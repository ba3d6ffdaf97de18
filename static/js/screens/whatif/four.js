/* The same places with each of the four values, side by side: what zero does alone is shock. */
import { paintMap, paintRgb } from "../../ui/canvas.js";
import { button } from "../../ui/controls.js";
import { el } from "../../ui/dom.js";
import { short } from "../../ui/format.js";
import { maximum } from "../../ui/numbers.js";
import { KINDS } from "./edits.js";
import { changeOf, meanOfHeads } from "./numbers.js";

/** @typedef {import("./state.js").Kind} Kind */
/** @typedef {import("./state.js").WhatIfScene} WhatIfScene */

const ROWS = /** @type {const} */ (["Attention after", "Features after", "Change"]);

/** @param {(kind: Kind) => unknown} onchoose */
export function createFour(onchoose) {
  const body = el("div", { class: "inside-four" }),
    note = el("p", { class: "inside-quiet" });
  /** @type {import("./state.js").Shown["four"] | null} */
  let drawn = null;

  /** @param {[Kind, WhatIfScene]} one @param {{ attention: number, change: number }} high */
  function column([kind, scene], high) {
    const { grid } = scene.facts,
      [h, w] = grid,
      P = h * w,
      name = KINDS.find(([one]) => one === kind)?.[1] ?? kind;
    const maps = ROWS.map((what) =>
      el("canvas", {
        role: "img",
        "aria-label": `${what}, ${name}`,
        style: `aspect-ratio:${w}/${h}`,
      }),
    );
    paintMap(maps[0], meanOfHeads(scene.attention_after, P), { grid, high: high.attention });
    paintRgb(maps[1], scene.colours_after, h, w);
    paintMap(maps[2], changeOf(scene), { grid, high: high.change });
    return el(
      "figure",
      { "data-value": kind },
      el(
        "figcaption",
        {},
        button(name, () => onchoose(kind), "Put this value there"),
      ),
      ...maps,
      el("p", { class: "inside-number" }, el("b", { text: scene.facts.cls_cosine.toFixed(3) })),
      el("p", {
        class: "inside-quiet",
        text: `patches ${scene.facts.patch_cosine_mean.toFixed(3)}`,
      }),
    );
  }

  return {
    node: el(
      "section",
      { hidden: true },
      el("h2", { text: "Four values in the same places" }),
      body,
      note,
    ),
    /** @param {import("./state.js").State} state @param {HTMLElement} node */
    draw({ shown, isFour }, node) {
      const four = shown?.four ?? [];
      node.hidden = !isFour || !four.length;
      if (four === drawn || !four.length) return;
      drawn = four;
      const P = four[0][1].patch_cosine.length;
      const most = (/** @type {(scene: WhatIfScene) => Float32Array} */ of) =>
        Math.max(...four.map(([, scene]) => maximum(of(scene), 0, P)));
      const high = {
        attention: most((scene) => meanOfHeads(scene.attention_after, P)),
        change: most(changeOf),
      };
      body.replaceChildren(...four.map((one) => column(one, high)));
      note.textContent =
        `Numbers are cosines to before, of the class token and of the patches on average, after the ` +
        `last block. Maps have one range in a row: change from 0 to ${short(high.change)}.`;
    },
  };
}
