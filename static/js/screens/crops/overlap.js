/* How much any two boxes share: a table of numbers on the colours of the map, that works by pointer and
   arrows and says which two it is about. */
import { settings } from "../../settings.js";
import { inkOn } from "../../ui/colours.js";
import { choice } from "../../ui/controls.js";
import { el } from "../../ui/dom.js";
import { legend } from "../../ui/legend.js";
import { roving } from "../../ui/roving.js";
import { sharedBy } from "./boxes.js";
import { colourOf } from "./state.js";
import { nameOf, shortName } from "./sentences.js";

/** @typedef {import("./state.js").CropsScene} CropsScene */
/** @typedef {readonly [number, number]} Pair */
/** @typedef {{ node: HTMLElement, a: number, b: number }} Cell */

/** @param {(pair: Pair | null) => void} onpair which cell is pointed at */
export function createOverlap(onpair) {
  const place = el("div", { class: "inside-matrix" });
  /** @type {"smaller" | "iou"} */
  let measure = "smaller";
  /** @type {{ scene: CropsScene, cells: Cell[], heads: HTMLElement[] } | null} */
  let shown = null;
  const measures = choice(
    "Measure",
    [
      ["smaller", "Share of the smaller box"],
      ["iou", "Intersection / union"],
    ],
    measure,
    (value) => {
      measure = value;
      fill();
    },
  );
  const node = el(
    "section",
    { class: "overlaps" },
    el("h2", { text: "How much any two boxes share, in per cent" }),
    el("div", { class: "inside-controls" }, measures.node),
    place,
    legend("magma", "0 %", "100 %"),
  );

  /** @param {CropsScene} scene */
  function open(scene) {
    const { crops } = scene.facts,
      count = crops.length;
    const cells = Array.from({ length: count * count }, (_, at) =>
      makeCell(Math.floor(at / count), at % count, onpair),
    );
    const head = (/** @type {number} */ i, /** @type {string} */ scope) =>
      el(
        "th",
        { scope, "data-i": i, style: `--crop:${colourOf(scene, i)}` },
        el("abbr", { title: nameOf(crops[i]), text: shortName(crops[i]) }),
      );
    const columns = crops.map((_, b) => head(b, "col")),
      sides = crops.map((_, a) => head(a, "row"));
    place.replaceChildren(makeTable({ cells, columns, sides }, () => onpair(null)));
    roving(
      cells.map((cell) => cell.node),
      count,
      1, // the first cell is a crop with itself
    );
    shown = { scene, cells, heads: [...columns, ...sides] };
    fill();
  }

  function fill() {
    for (const { node: cell, a, b } of shown?.cells ?? []) {
      if (!shown || a === b) continue;
      const value = sharedBy(shown.scene, [a, b])[measure === "iou" ? 1 : 0],
        colour = settings.colours.magma[Math.round(2.55 * value)];
      cell.textContent = value.toFixed(0);
      cell.style.background = `rgb(${colour})`;
      cell.style.color = inkOn(colour);
    }
  }

  /**
   * Marks the crops that stand out: a whole row for one, one cell for two.
   *
   * @param {readonly number[]} chosen
   */
  function draw(chosen) {
    for (const { node: cell, a, b } of shown?.cells ?? [])
      cell.classList.toggle(
        "highlighted",
        chosen.length === 2
          ? a !== b && chosen.includes(a) && chosen.includes(b)
          : chosen.includes(a),
      );
    for (const head of shown?.heads ?? [])
      head.classList.toggle("highlighted", chosen.includes(Number(head.dataset.i)));
  }

  return { node, open, draw };
}

/** @param {number} a @param {number} b @param {(pair: Pair | null) => void} onpair @returns {Cell} */
function makeCell(a, b, onpair) {
  const point = () => onpair(a === b ? null : [a, b]);
  return { node: el("td", { onpointerenter: point, onfocusin: point }), a, b };
}

/**
 * @param {{ cells: readonly Cell[], columns: readonly HTMLElement[], sides: readonly HTMLElement[] }} parts
 * @param {() => void} onleave
 */
function makeTable({ cells, columns, sides }, onleave) {
  const count = sides.length,
    inRow = (/** @type {number} */ a) => cells.slice(a * count, (a + 1) * count);
  return el(
    "table",
    { onpointerleave: onleave, onfocusout: onleave },
    el("caption", {
      class: "inside-hidden",
      text: "Overlap of the crops' boxes in per cent. Arrows go from cell to cell.",
    }),
    el("thead", {}, el("tr", {}, el("td"), ...columns)),
    el(
      "tbody",
      {},
      ...sides.map((side, a) => el("tr", {}, side, ...inRow(a).map((cell) => cell.node))),
    ),
  );
}
