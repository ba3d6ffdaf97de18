/* The numbers of one part, with each value: mean over the pictures, their spread, and k-NN. */
import { el } from "../../ui/dom.js";
import { percent, plural, short } from "../../ui/format.js";
import { tableHead, tableRow } from "../../ui/table.js";
import { KINDS } from "./edits.js";

/** @typedef {import("./state.js").ScreeningScene} ScreeningScene */
/** @typedef {import("./grid.js").Cell} Cell */

/**
 * Where the numbers of a part lie: which scene, and which of its units.
 *
 * @param {Pick<Cell, "unit" | "heads">} cell
 * @returns {["heads" | "blocks", number]}
 */
export const placeIn = ({ unit, heads }) =>
  unit < heads ? ["heads", unit] : ["blocks", unit - heads];

/**
 * One part's numbers with one value.
 *
 * @param {ScreeningScene} scene
 * @param {{ block: number, unit: number }} place
 * @param {string} value
 */
export function numbersOf(scene, { block, unit }, value) {
  const [, layers, units] = scene.shapes.mean_cls,
    at = (scene.facts.values.indexOf(value) * layers + block) * units + unit,
    change = scene.accuracy_change?.[at];
  const pair = (/** @type {number} */ a, /** @type {number} */ b) => /** @type {const} */ ([a, b]);
  return {
    cls: pair(scene.mean_cls[at], scene.spread_cls[at]),
    patches: pair(scene.mean_patches[at], scene.spread_patches[at]),
    accuracy: change === undefined ? null : pair((scene.facts.accuracy ?? 0) + change, change),
  };
}

/** A change of a share in points, with its sign. @param {number} share */
export const points = (share) =>
  `${share < -5e-7 ? "−" : share > 5e-7 ? "+" : "±"}${Math.abs(100 * share).toFixed(1)}`;

export function createScreeningCard() {
  const title = el("b"),
    count = el("span", { class: "inside-quiet" }),
    table = el("table", { class: "inside-table" }),
    before = el("p", { class: "inside-quiet" });
  const node = el("div", { class: "inside-part-card" }, el("p", {}, title, count), table, before);
  let drawn = "";
  return {
    node,
    /**
     * @param {import("./state.js").State["effects"]} effects
     * @param {readonly Cell[]} cells
     * @param {string | null} pointed the place of one; none: the first
     */
    draw(effects, cells, pointed) {
      const cell = cells.find(({ place }) => place === pointed) ?? cells[0];
      node.hidden = !effects || !cell;
      if (!effects || !cell) return;
      const text = `${effects.of} ${cell.place}`;
      if (text === drawn) return;
      drawn = text;
      const [parts, unit] = placeIn(cell),
        scene = effects[parts],
        { pictures, accuracy } = scene.facts,
        several = pictures > 1;
      const spread = (/** @type {readonly [number, number]} */ [mean, deviation]) =>
        several ? `${short(mean)} ± ${short(deviation)}` : short(mean);
      title.textContent = cell.name;
      count.textContent = several
        ? `  mean ± standard deviation, n = ${pictures} pictures`
        : `  n = ${plural(pictures, "picture", "pictures")}`;
      table.replaceChildren(
        tableHead("", "class token", "patches", ...(accuracy === null ? [] : ["k-NN accuracy"])),
        el(
          "tbody",
          {},
          ...KINDS.map(([kind, name]) => {
            const found = numbersOf(scene, { block: cell.block, unit }, kind);
            const right = found.accuracy
              ? [`${percent(found.accuracy[0])} (${points(found.accuracy[1])})`]
              : [];
            return tableRow(name, spread(found.cls), spread(found.patches), ...right);
          }),
        ),
      );
      before.hidden = accuracy === null;
      before.textContent =
        accuracy === null
          ? ""
          : `k-NN accuracy is ${percent(accuracy)} before; in brackets the difference in points.`;
    },
  };
}
