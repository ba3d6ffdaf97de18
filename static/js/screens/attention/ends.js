/* Two ends: what a kept source gives to the target under the pointer, in every layer and head, and what
   comes back. */
import { select, selection } from "../../page/selection.js";
import { paintMap } from "../../ui/canvas.js";
import { el } from "../../ui/dom.js";
import { percent } from "../../ui/format.js";
import { legend } from "../../ui/legend.js";
import { maximum } from "../../ui/numbers.js";
import { PatchPicture } from "../../ui/patch-picture.js";
import { throttle } from "../../ui/frame.js";
import { dot, tokenAt } from "./attend.js";
import { queryName } from "./state.js";

/** @typedef {import("./picture.js").Loaded} Loaded */
/** @typedef {import("./state.js").State} State */
/** @typedef {import("./state.js").OverviewScene} OverviewScene */

/**
 * What the source of an overview gives to one patch, [T * A].
 *
 * @param {Pick<OverviewScene, "rows" | "shapes">} overview
 * @param {number} patch index
 * @param {Float32Array} [values] is written into where it has the right size
 */
export function valuesAt({ rows, shapes }, patch, values) {
  const [T, A, h, w] = shapes.rows;
  const out = values?.length === T * A ? values : new Float32Array(T * A);
  for (let i = 0; i < out.length; i++) out[i] = rows[i * h * w + patch];
  return out;
}

/**
 * Whether an overview is that of the source.
 *
 * @param {OverviewScene | null} overview
 * @param {Source} source
 */
const isOf = (overview, { row, col }) =>
  overview !== null &&
  overview.facts.row === (row ?? -1) &&
  (row === null || overview.facts.column === col);

/** @typedef {{ row: number | null, col: number | null }} Source */

/** Layers and heads as one map. @param {string} title */
function createMap(title) {
  /** @type {Float32Array} */
  let values = new Float32Array(0);
  let heads = 1;
  const map = new PatchPicture({
    label: `${title}, layers (rows) by heads (columns). Arrows move through them.`,
    from: () => [selection.layer, selection.head],
    onpin: (layer, head) => select({ layer, head }),
    describe: (layer, head) =>
      `layer ${layer}, head ${head}\n${percent(values[layer * heads + head], 2)}`,
  });
  map.picture.remove(); // numbers alone
  map.node.classList.add("inside-ends-map");
  const place = el("div"),
    axes = el("span", { class: "inside-quiet", text: " layers down, heads across" }),
    words = el("p", {}, el("b", { text: title }), axes),
    figure = el("figure", {}, map.node, el("figcaption", {}, words, place));
  const showLegend = throttle((/** @type {number} */ high) =>
    place.replaceChildren(legend("magma", "0", percent(high, 2))),
  );
  return {
    node: figure,
    /** @param {OverviewScene} overview @param {number} patch @param {boolean} late */
    draw(overview, patch, late) {
      const [T, A] = overview.shapes.rows;
      heads = A;
      values = valuesAt(overview, patch, values);
      const high = maximum(values, 0, values.length);
      map.show("", [T, A], [A * 2, T]);
      paintMap(map.overlay, values, { grid: [T, A], high });
      map.mark(selection.layer, selection.head, true);
      map.node.classList.toggle("inside-late", late);
      showLegend(high);
    },
  };
}

export function createEnds() {
  const there = createMap("Source to target"),
    back = createMap("Target to source"),
    numbers = el("table", { class: "inside-table" }),
    title = el("h2"),
    hint = el("p", { class: "inside-quiet" });
  const node = el(
    "section",
    { class: "inside-ends", hidden: true },
    title,
    hint,
    numbers,
    el("div", { class: "inside-ends-maps" }, there.node, back.node),
  );
  const tell = throttle((/** @type {Loaded} */ state) => {
    const { row, col } = selection,
      { target } = state;
    if (!target) return;
    title.textContent = `From ${queryName({ row, col })} to ${queryName({ row: target[0], col: target[1] })}`;
    hint.textContent = state.held
      ? "The target is kept: click it, or press Esc, to let it go."
      : "The target follows the pointer: a click keeps it, and shows the way back in all heads.";
    numbers.replaceChildren(...pairTable(state, target));
  });

  return {
    node,
    /** @param {Loaded} state */
    draw(state) {
      const { ends, target, overview, back: returned, scene } = state;
      node.hidden = !ends;
      if (!ends || !target) {
        title.textContent = "Two ends: point at a patch";
        hint.textContent = "The source stays where it was kept; the target follows the pointer.";
        for (const one of [there, back]) one.node.hidden = true;
        numbers.replaceChildren();
        return;
      }
      const { row, col } = selection,
        w = scene.facts.grid[1];
      there.node.hidden = !overview;
      if (overview) there.draw(overview, target[0] * w + target[1], !isOf(overview, { row, col }));
      const isBack =
        returned !== null && row !== null && isOf(returned, { row: target[0], col: target[1] });
      back.node.hidden = !isBack;
      if (isBack) back.draw(returned, row * w + (col ?? 0), false);
      tell(state);
    },
  };
}

/**
 * q . k of the pair and what becomes of it, there and back, in the layer and head that are chosen.
 *
 * @param {Loaded} state
 * @param {readonly [number, number]} target
 */
function pairTable({ scene, rows, backRows }, target) {
  const [, N, d] = scene.shapes.keys,
    head = selection.head ?? 0,
    source = tokenAt(scene, selection.row, selection.col),
    token = tokenAt(scene, target[0], target[1]);
  const there = dot(scene, { head, query: source, key: token }),
    back = dot(scene, { head, query: token, key: source });
  /** @type {[string, string, string][]} */
  const lines = [
    ["q · k", there.toFixed(3), back.toFixed(3)],
    [
      `divided by √${d} = ${Math.sqrt(d).toFixed(2)}`,
      (there * scene.facts.scale).toFixed(3),
      (back * scene.facts.scale).toFixed(3),
    ],
    [
      `softmax over ${N} tokens`,
      percent(rows[head * N + token], 2),
      percent(backRows[head * N + source], 2),
    ],
  ];
  return [
    el(
      "thead",
      {},
      el(
        "tr",
        {},
        el("th", { scope: "col", text: `Layer ${scene.facts.layer}, head ${head}` }),
        el("th", { scope: "col", text: "there" }),
        el("th", { scope: "col", text: "back" }),
      ),
    ),
    el(
      "tbody",
      {},
      ...lines.map(([name, ...values]) =>
        el(
          "tr",
          {},
          el("th", { scope: "row", text: name }),
          ...values.map((text) => el("td", { text })),
        ),
      ),
    ),
  ];
}

/** The target's own frame on the picture. @param {PatchPicture} picture */
export function createTargetMark(picture) {
  const node = el("div", { class: "inside-marker inside-target", hidden: true });
  picture.node.append(node);
  return (/** @type {readonly [number, number] | null} */ target) => {
    node.hidden = target === null;
    if (!target) return;
    const [h, w] = picture.grid;
    node.style.width = `${100 / w}%`;
    node.style.height = `${100 / h}%`;
    node.style.transform = `translate(${100 * target[1]}%, ${100 * target[0]}%)`;
  };
}
