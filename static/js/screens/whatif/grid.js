/* All heads of all blocks, and what attention and MLP of each add: a click puts the chosen value in the
   place of one, another click takes it back. */
import { el } from "../../ui/dom.js";
import { roving } from "../../ui/roving.js";
import { placeOf } from "./edits.js";
import { layerOf } from "./state.js";

/** @typedef {import("./state.js").State} State */
/** @typedef {{ block: number, unit: number, heads: number, place: string, name: string,
 *   button: HTMLButtonElement }} Cell */

/**
 * @param {{ block: number, unit: number, heads: number }} part
 * @param {{ flip: (place: string) => unknown, onpoint: (place: string) => unknown }} work
 * @returns {Cell}
 */
function createCell({ block, unit, heads }, { flip, onpoint }) {
  const branch = ["attention", "mlp"][unit - heads],
    place = branch ? `${branch}:${block}` : `head:${block}.${unit}`,
    name = branch
      ? `${branch === "mlp" ? "MLP" : "Attention"}, block ${block}`
      : `Head ${unit}, block ${block}`;
  const button = el("button", {
    type: "button",
    title: name,
    "aria-label": name,
    "aria-pressed": "false",
    "data-place": place,
    class: branch ? "branch" : "head",
    onclick: () => flip(place),
    onpointerenter: () => onpoint(place),
    onfocus: () => onpoint(place),
  });
  return { block, unit, heads, place, name, button };
}

/**
 * @param {State} state
 * @param {import("./state.js").Editing} editing
 * @param {(place: string) => unknown} onpoint a part is pointed at, or has the keyboard
 */
export function createGrid(state, editing, onpoint) {
  const grid = el("div", {
    class: "inside-parts",
    role: "group",
    "aria-label": "Heads, attention and MLP of every block, to be switched off and on",
  });
  /** @type {Cell[]} */
  let cells = [];
  /** @type {HTMLElement[]} */
  let rows = [];
  let built = "";

  /** @param {string} place */
  function flip(place) {
    const kept = state.edits.filter(({ text, on }) => !on || placeOf(text) !== place);
    editing.set(
      kept.length < state.edits.length
        ? kept
        : [...state.edits, { text: `${place}=${state.kind}`, on: true }],
    );
  }

  /** @param {number} layers @param {number} heads */
  function build(layers, heads) {
    const columns = heads + 2;
    cells = [];
    rows = [];
    grid.style.setProperty("--heads", String(heads));
    const names = [...Array(heads).keys(), "attn", "MLP"];
    grid.replaceChildren(
      el("span", { class: "corner", text: "block" }),
      ...names.map((name) => el("span", { class: "column", text: name })),
    );
    for (let block = 0; block < layers; block++) {
      const row = Array.from({ length: columns }, (_, unit) =>
          createCell({ block, unit, heads }, { flip, onpoint }),
        ),
        name = el("span", { text: block });
      cells.push(...row);
      rows.push(name);
      grid.append(name, ...row.map(({ button }) => button));
    }
    roving(
      cells.map(({ button }) => button),
      columns,
    );
  }

  return {
    node: el("div", { class: "inside-scroll" }, grid),
    /** What a part is called, and its cell, for whoever colours them. */
    cells: () => cells,
    draw() {
      const { view } = state;
      if (!view) return;
      const size = `${view.layers} ${view.heads}`;
      if (size !== built) build(view.layers, view.heads);
      built = size;
      const off = new Map(
        state.edits
          .filter(({ on }) => on)
          .map(({ text }) => [placeOf(text), text.slice(text.indexOf("=") + 1)]),
      );
      for (const { place, button } of cells) {
        const pressed = String(off.has(place));
        if (button.getAttribute("aria-pressed") !== pressed)
          button.setAttribute("aria-pressed", pressed);
      }
      rows.forEach((row, block) => row.classList.toggle("here", block === layerOf(view)));
    },
  };
}
