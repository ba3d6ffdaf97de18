/* The numbers of one part, with each value: mean over the pictures, their spread, and k-NN. */
import { el } from "../../ui/dom.js";
import { percent, plural, short } from "../../ui/format.js";
import { tableHead } from "../../ui/table.js";
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

/**
 * A number with what belongs to it below.
 *
 * @param {string} number
 * @param {string} [below]
 */
const cell = (number, below) =>
  el("td", {}, number, below ? el("small", { text: ` ${below}` }) : null);

/**
 * A line of the table: one value's numbers.
 *
 * @param {string} name
 * @param {ReturnType<typeof numbersOf>} found
 * @param {boolean} several whether there is a spread
 */
function line(name, { cls, patches, accuracy }, several) {
  const spread = (/** @type {readonly [number, number]} */ [mean, deviation]) =>
    cell(short(mean), several ? `± ${short(deviation)}` : "");
  return el(
    "tr",
    {},
    el("th", { text: name, scope: "row" }),
    spread(cls),
    spread(patches),
    accuracy ? cell(percent(accuracy[0]), `${points(accuracy[1])} points`) : null,
  );
}

export function createScreeningCard() {
  const title = el("b"),
    count = el("span", { class: "inside-quiet" }),
    table = el("table", { class: "inside-table" });
  const node = el(
    "div",
    { class: "inside-part-card" },
    el("p", {}, title, count),
    el("div", { class: "inside-scroll" }, table),
  );
  let drawn = "";
  return {
    node,
    /**
     * @param {import("./state.js").State["effects"]} effects
     * @param {readonly Cell[]} cells
     * @param {string | null} pointed the place of one; none: the first
     */
    draw(effects, cells, pointed) {
      const part = cells.find(({ place }) => place === pointed) ?? cells[0];
      node.hidden = !effects || !part;
      if (!effects || !part) return;
      const text = `${effects.of} ${part.place}`;
      if (text === drawn) return;
      drawn = text;
      const [parts, unit] = placeIn(part),
        scene = effects[parts],
        { pictures, accuracy } = scene.facts,
        before = accuracy === null ? "" : `; k-NN accuracy before: ${percent(accuracy)}`;
      title.textContent = part.name;
      count.textContent =
        pictures > 1
          ? `  mean ± standard deviation, n = ${pictures} pictures${before}`
          : `  n = ${plural(pictures, "picture", "pictures")}`;
      const names = ["class token", "patches", ...(accuracy === null ? [] : ["k-NN after"])];
      table.replaceChildren(
        tableHead("", ...names),
        el(
          "tbody",
          {},
          ...KINDS.map(([kind, name]) =>
            line(name, numbersOf(scene, { block: part.block, unit }, kind), pictures > 1),
          ),
        ),
      );
    },
  };
}
