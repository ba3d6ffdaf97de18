/* Before and after: attention of the class token, the features' colours, and where they have changed. */
import { select, selectedPatch, selection } from "../../page/selection.js";
import { paintMap, paintRgb } from "../../ui/canvas.js";
import { el } from "../../ui/dom.js";
import { percent, short } from "../../ui/format.js";
import { rafThrottle } from "../../ui/frame.js";
import { legend } from "../../ui/legend.js";
import { maximum } from "../../ui/numbers.js";
import { PatchPicture } from "../../ui/patch-picture.js";
import { changeOf, meanOfHeads } from "./numbers.js";
import { referenceWords, sourceOf } from "./references.js";

/** @typedef {import("./state.js").State} State */
/** @typedef {import("./state.js").WhatIfScene} WhatIfScene */

/**
 * A map of patches with a title, a legend, and the patch that is pointed at anywhere.
 *
 * @param {string} title
 * @param {(hovered: [number, number] | null) => unknown} onhover
 * @param {(row: number, col: number) => string} describe
 */
function panel(title, onhover, describe) {
  const place = el("div");
  const picture = new PatchPicture({
    label: title,
    from: selectedPatch,
    onhover: rafThrottle((row, col) => onhover([row, col])),
    onleave: rafThrottle(() => onhover(null)),
    onpin: (row, col) => select({ row, col }),
    describe,
  });
  picture.node.classList.add("inside-result");
  picture.node.removeAttribute("tabindex"); // the keys are those of the painted picture
  picture.node.setAttribute("role", "img");
  picture.node.removeAttribute("aria-roledescription");
  picture.picture.remove(); // the map alone
  let text = "";
  return {
    node: el("figure", {}, picture.node, el("figcaption", {}, el("b", { text: title }), place)),
    title,
    picture,
    /** @param {string} colours @param {string} low @param {string} high */
    legend(colours, low, high) {
      if (text === `${low} ${high}`) return;
      text = `${low} ${high}`;
      place.replaceChildren(legend(colours, low, high));
    },
    /** @param {string} words */
    words(words) {
      if (text === words) return;
      text = words;
      place.replaceChildren(el("span", { text: words }));
    },
  };
}

/**
 * @param {State} state
 * @param {(change: Partial<State>) => void} update
 */
export function createResults(state, update) {
  const onhover = (/** @type {[number, number] | null} */ hovered) => update({ hovered });
  const scene = () => /** @type {WhatIfScene} */ (state.shown?.scene);
  const at = (/** @type {number} */ row, /** @type {number} */ col) =>
    row * scene().facts.grid[1] + col;
  const where = (/** @type {number} */ row, /** @type {number} */ col) =>
    `row ${row}, column ${col}`;
  /** Attention of the class token, as the page has chosen the head. */
  let attention = [new Float32Array(0), new Float32Array(0)];

  const share = (/** @type {number} */ row, /** @type {number} */ col) =>
    `${where(row, col)}\nbefore ${percent(attention[0][at(row, col)], 2)}\n` +
    `after ${percent(attention[1][at(row, col)], 2)}`;
  const cosine = (/** @type {number} */ row, /** @type {number} */ col) =>
    `${where(row, col)}\n1 − cosine: ${short(1 - scene().patch_cosine[at(row, col)])}`;
  const panels = {
    attentionBefore: panel("Attention before", onhover, share),
    attentionAfter: panel("Attention after", onhover, share),
    coloursBefore: panel("Features before", onhover, cosine),
    coloursAfter: panel("Features after", onhover, cosine),
    change: panel("Change", onhover, cosine),
  };
  const sum = el("div", { class: "inside-sum-up", "aria-live": "polite" });
  const node = el(
    "div",
    { class: "inside-results" },
    sum,
    panels.attentionBefore.node,
    panels.coloursBefore.node,
    panels.attentionAfter.node,
    panels.coloursAfter.node,
    panels.change.node,
  );
  panels.change.node.classList.add("inside-between");
  /** @type {WhatIfScene | null} */
  let drawn = null;
  /** @type {number | null} */
  let head = null;
  let source = "";

  /** @param {WhatIfScene} now */
  function paint(now) {
    const { grid, note } = now.facts,
      [h, w] = grid,
      P = h * w;
    attention = [now.attention_before, now.attention_after].map((rows) =>
      head === null ? meanOfHeads(rows, P) : rows.slice(head * P, (head + 1) * P),
    );
    const high = Math.max(maximum(attention[0], 0, P), maximum(attention[1], 0, P));
    paintMap(panels.attentionBefore.picture.overlay, attention[0], { grid, high });
    paintMap(panels.attentionAfter.picture.overlay, attention[1], { grid, high });
    paintRgb(panels.coloursBefore.picture.overlay, now.colours_before, h, w);
    paintRgb(panels.coloursAfter.picture.overlay, now.colours_after, h, w);
    const change = changeOf(now),
      most = maximum(change, 0, P);
    paintMap(panels.change.picture.overlay, change, { grid, high: most });
    panels.attentionBefore.legend("magma", "0", percent(high, 2));
    panels.attentionAfter.legend("magma", "0", percent(high, 2));
    panels.change.legend("magma", "0", short(most));
    panels.coloursBefore.words(note || "PCA of the patches");
    panels.coloursAfter.words("in the basis of before");
  }

  return {
    node,
    panels,
    draw() {
      const { shown, hovered } = state;
      if (!shown) return;
      const { view } = shown;
      const words = referenceWords(state, shown.reference);
      if (shown.scene !== drawn || selection.head !== head || words !== source) {
        const { heads } = shown.scene.facts;
        head = selection.head !== null && selection.head < heads ? selection.head : null;
        drawn = shown.scene;
        paint(drawn);
        source = words;
        sum.replaceChildren(...summary(shown, head, words));
      }
      const [row, col] = hovered ?? selectedPatch();
      for (const { picture } of Object.values(panels)) {
        picture.show("", view.grid, view.input_size);
        picture.mark(row, col, hovered === null);
      }
    },
  };
}

/**
 * @param {import("./state.js").Shown} shown
 * @param {number | null} head
 * @param {string} words of the reference pictures
 */
function summary({ scene, texts }, head, words) {
  const { layer, cls_cosine: cls, patch_cosine_mean: patches, entry } = scene.facts,
    layers = scene.shapes.cls_cosine_by_layer[0];
  const which = head === null ? "mean of the heads" : `head ${head}`;
  const note = `Shown: layer ${layer}, ${which}.`;
  if (!texts.length)
    return [
      el("p", { class: "inside-number", text: "Nothing is changed: after is before." }),
      el("p", { class: "inside-quiet", text: note }),
    ];
  const number = (/** @type {string} */ name, /** @type {number} */ value) =>
    el("p", { class: "inside-number" }, el("b", { text: value.toFixed(3) }), ` ${name}`);
  return [
    number("cosine to before, class token", cls),
    number("patches, on average", patches),
    el("p", {
      class: "inside-quiet",
      text: `After the last block. Computed again from block ${entry} of ${layers - 1} on. ${note}`,
    }),
    el("p", { class: "inside-quiet inside-source", text: sourceOf(texts, words) }),
  ];
}
