/* The walk in tables: shapes of every step, the patch and its neighbours, the tokens that are no patch. */
import { el } from "../../ui/dom.js";
import { signed, threeDigits } from "../../ui/format.js";
import { tableHead, tableRow } from "../../ui/table.js";
import { firstPatch, meanLength, normOf, patchCount, stepCount } from "./lengths.js";

/** @typedef {import("./state.js").BlocksScene} BlocksScene */
/** @typedef {import("./blocks.js").BlockNumbers} BlockNumbers */

const SIDES = /** @type {const} */ ([
  ["above", -1, 0],
  ["right", 0, 1],
  ["below", 1, 0],
  ["left", 0, -1],
]);

export function createBlockTables() {
  const walk = el("tbody"),
    neighbours = el("tbody"),
    others = el("tbody"),
    note = el("p", { class: "inside-quiet" });
  const section = (
    /** @type {string} */ title,
    /** @type {Node} */ head,
    /** @type {Node} */ body,
    /** @type {Node[]} */ ...more
  ) =>
    el(
      "div",
      {},
      el("h2", { text: title }),
      el(
        "div",
        { class: "inside-scroll", tabindex: "0", role: "group", "aria-label": title },
        el("table", { class: "inside-table inside-steps" }, head, body),
      ),
      ...more,
    );
  const node = el(
    "div",
    { class: "inside-tables" },
    section("The walk", tableHead("step", "shape", "mean patch"), walk),
    section(
      "The patch and its neighbours",
      tableHead("neighbour", "length", "cosine here", "as embedded"),
      neighbours,
    ),
    section(
      "Class token and registers",
      tableHead("token", "length", "cosine to class token"),
      others,
      note,
    ),
  );
  return {
    node,
    /** @param {BlocksScene} scene @param {BlockNumbers} numbers */
    draw(scene, numbers) {
      walk.replaceChildren(...walkRows(scene, numbers));
      neighbours.replaceChildren(...neighbourRows(scene, numbers));
      others.replaceChildren(...otherRows(scene, numbers.step));
      note.textContent = scene.facts.registers
        ? "Registers are thrown away at the end: they are there to be written to."
        : "This model has no registers: if it needs scratch space, it has to take it from the patches.";
    },
  };
}

const cosine = (/** @type {number} */ value) => (Number.isNaN(value) ? "–" : signed(value));

/** @param {BlocksScene} scene @param {BlockNumbers} numbers */
function neighbourRows(scene, { row, col, patch, step }) {
  const [h, w] = scene.facts.grid;
  return SIDES.map(([side, down, right], i) => {
    const [y, x] = [row + down, col + right],
      inside = y >= 0 && y < h && x >= 0 && x < w,
      norm = inside ? normOf(scene, step, firstPatch(scene) + y * w + x) : NaN;
    return tableRow(
      side,
      inside ? threeDigits(norm) + (norm > scene.threshold[step] ? " (outlier)" : "") : "–",
      cosine(scene.neighbours[(step * patchCount(scene) + patch) * 4 + i]),
      cosine(scene.embedding_neighbours[patch * 4 + i]),
    );
  });
}

/** @param {BlocksScene} scene @param {number} step */
function otherRows(scene, step) {
  const R = scene.facts.registers;
  return [
    tableRow("class token", threeDigits(normOf(scene, step, 0)), ""),
    ...Array.from({ length: R }, (_, register) =>
      tableRow(
        `register ${register}`,
        threeDigits(normOf(scene, step, 1 + register)),
        cosine(scene.register_cosines[step * R + register]),
      ),
    ),
  ];
}

/** @param {BlocksScene} scene @param {BlockNumbers} numbers */
function walkRows(scene, { step, updates: [attention, mlp] }) {
  const blocks = stepCount(scene) - 1,
    share = (/** @type {number | null} */ value) =>
      value === null ? "" : `${value.toFixed(2)} |x|`;
  /** @type {Record<string, string>} */
  const measured = {
    "+ positions": `|x| = ${threeDigits(meanLength(scene))}`,
    "+ attention's update": share(attention),
    "+ the MLP's update": share(mlp),
  };
  return scene.facts.steps.flatMap(({ part, name, shape }, i, all) => {
    const row = tableRow(name, shape.join(" × "), measured[name] ?? "");
    row.className =
      (part === "block" && step > 0) || (part === "before" && step === 0) ? "here" : "";
    if (part !== "block" || all[i - 1].part === "block") return [row];
    const text = step === 0 ? `${blocks} blocks, each:` : `Block ${step - 1}, one of ${blocks}:`;
    const title = el("th", { colspan: 3, scope: "row", text });
    return [el("tr", { class: `block ${row.className}` }, title), row];
  });
}
