/* How one grid of positions becomes the other, in numbers and in a sentence. */
import { el } from "../../ui/dom.js";
import { percent } from "../../ui/format.js";
import { tableRow } from "../../ui/table.js";

/** @typedef {import("./state.js").PositionsScene} PositionsScene */

export function createPositionRule() {
  const sizes = { learned: el("span"), given: el("span") },
    facts = el("tbody"),
    rule = el("p", { class: "inside-quiet" });
  const node = el(
    "div",
    { class: "inside-left" },
    el("h2", { text: "How one grid becomes the other" }),
    el("div", { class: "inside-scroll" }, el("table", { class: "inside-table" }, facts)),
    rule,
  );
  return {
    node,
    sizes,
    /** @param {PositionsScene} scene @param {number} p px, a side of a patch */
    draw(scene, p) {
      sizes.learned.textContent = sizeOf(scene.facts.learned_grid, p);
      sizes.given.textContent = sizeOf(scene.facts.grid, p);
      facts.replaceChildren(...rowsOf(scene));
      rule.textContent = ruleOf(scene.facts);
    },
  };
}

/** @param {readonly [number, number]} grid @param {number} p */
const sizeOf = ([h, w], p) => `${h} × ${w} positions, for ${w * p} × ${h * p} px`;

/** @param {PositionsScene} scene */
function rowsOf({ facts, rows, columns }) {
  const { learned_grid: learned, grid, untouched, offset, antialias, scale, effect } = facts;
  if (untouched) return [tableRow("method", "none: the learned table is used as it is")];
  const how = (/** @type {0 | 1} */ axis) =>
    offset
      ? `scale factor (${grid[axis]} + ${offset}) / ${learned[axis]} = ${scale[axis].toFixed(4)}`
      : `to the exact size, ${grid[axis]} / ${learned[axis]} = ${scale[axis].toFixed(4)}`;
  const exact = (/** @type {0 | 1} */ axis) =>
    (((grid[axis] - 0.5) * learned[axis]) / grid[axis] - 0.5).toFixed(2);
  const last = `${rows[grid[0] - 1].toFixed(2)} and ${columns[grid[1] - 1].toFixed(2)}`;
  const lines = [
    tableRow("method", `bicubic, in float32, ${antialias ? "with" : "without"} antialiasing`),
    tableRow("down", how(0)),
    tableRow("across", how(1)),
    tableRow(
      "the last row and column look at",
      offset ? `${last}; without the ${offset} it would be ${exact(0)} and ${exact(1)}` : last,
    ),
  ];
  if (offset)
    lines.push(
      tableRow(
        `what the ${offset} changes`,
        `${percent(effect)} of a position's length, on average`,
      ),
    );
  return lines;
}

/**
 * Why the table is, or is not, used as it is.
 *
 * @param {Pick<PositionsScene["facts"], "learned_grid" | "grid" | "untouched">} facts
 */
export function ruleOf({ learned_grid: [r, c], grid: [h, w], untouched }) {
  const own =
    r === c
      ? `when there are ${r * c} patches and the picture is square`
      : `when the picture has the learned grid of ${r} × ${c} patches`;
  const here = untouched
    ? "So it is here."
    : h * w === r * c
      ? `Here the number is right, but the picture is ${h} × ${w}: it is interpolated.`
      : `Here there are ${h * w}.`;
  return `The official rule: the table is left as it is only ${own}. ${here}`;
}
