/* What the query attends to in all layers (rows) and heads (columns), from afar. It follows when the
   query rests; until then it says whose rows it still shows. */
import { select, selection } from "../../page/selection.js";
import { printMap } from "../../ui/canvas.js";
import { el } from "../../ui/dom.js";
import { maximum } from "../../ui/numbers.js";
import { roving } from "../../ui/roving.js";
import { queryName } from "./state.js";

/** @typedef {import("./state.js").OverviewScene} OverviewScene */

export function createOverview() {
  const title = el("h2");
  const grid = el("div", { class: "inside-birds", role: "group" });
  /** @type {{ layer: number, head: number, map: HTMLImageElement, button: HTMLButtonElement }[]} */
  let cells = [];
  /** @type {OverviewScene | null} */
  let drawn = null;
  let marked = "";

  /** @param {number} layer @param {number} head */
  function cell(layer, head) {
    const map = el("img", { alt: "", draggable: "false" });
    const button = el("button", { type: "button", onclick: () => select({ layer, head }) }, map);
    return { layer, head, map, button };
  }

  /** @param {number} layers @param {number} heads */
  function build(layers, heads) {
    grid.style.setProperty("--heads", String(heads));
    cells = [];
    grid.replaceChildren(
      el("span"),
      ...Array.from({ length: heads }, (_, head) => el("span", { class: "head", text: head })),
    );
    for (let layer = 0; layer < layers; layer++) {
      const row = Array.from({ length: heads }, (_, head) => cell(layer, head));
      cells.push(...row);
      grid.append(el("span", { text: layer }), ...row.map(({ button }) => button));
    }
    roving(
      cells.map(({ button }) => button),
      heads,
    );
  }

  /** @param {OverviewScene} overview */
  function print(overview) {
    const [layers, heads, h, w] = overview.shapes.rows;
    if (cells.length !== layers * heads) build(layers, heads);
    grid.style.setProperty("--aspect", `${w} / ${h}`);
    cells.forEach(({ layer, head, map, button }, at) => {
      const offset = at * h * w;
      const high = maximum(overview.rows, offset, h * w);
      printMap(map, overview.rows, { grid: [h, w], offset, high });
      const name = `Layer ${layer}, head ${head}`;
      button.title = `${name}, entropy ${overview.entropy[at].toFixed(2)} nats`;
      button.setAttribute("aria-label", name);
    });
  }

  return {
    node: el("div", { class: "inside-stack" }, title, grid),

    /**
     * @param {OverviewScene} overview
     * @param {{ row: number | null, col: number | null }} query what the rest of the screen shows
     */
    draw(overview, query) {
      const { row, column } = overview.facts;
      const own = row < 0 ? { row: null, col: null } : { row, col: column };
      if (drawn !== overview) print(overview);
      drawn = overview;
      const name = `${queryName(own)} in all layers (rows) and heads (columns)`;
      const text = name[0].toUpperCase() + name.slice(1);
      if (title.textContent !== text) {
        title.textContent = text;
        grid.setAttribute("aria-label", text);
      }
      const late = own.row !== query.row || own.col !== query.col;
      grid.classList.toggle("inside-late", late);
      const mark = `${selection.layer} ${selection.head} ${cells.length}`;
      if (mark === marked) return; // most calls only follow the pointer
      marked = mark;
      for (const { layer, head, button } of cells)
        button.classList.toggle(
          "here",
          layer === selection.layer && (selection.head === null || head === selection.head),
        );
    },
  };
}
