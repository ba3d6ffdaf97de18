/* The tray itself: a table of pictures. Its cells stay while rows and columns do, so that a key that
   is held moves the patch and not the focus. */
import { el } from "../../ui/dom.js";
import { keysSentence } from "../../ui/key-hints.js";
import { PatchPicture } from "../../ui/patch-picture.js";
import { mapOf, paintCell, placeIn, valueIn } from "./cells.js";
import { titleOf, wordOf } from "./columns.js";
import { columnHead, numberOf, rowHead, scaleOf } from "./heads.js";
import { askedPatch, askedRow } from "./state.js";

/** @typedef {import("./state.js").State} State */
/** @typedef {import("./state.js").Shown} Shown */
/** @typedef {import("./actions.js").Actions} Actions */
/** @typedef {readonly [number, number]} Patch */

/** @type {import("../../ui/key-hints.js").KeyHints} */
export const KEYS = [
  ["arrows", "move the patch"],
  ["click", "chooses it"],
];

/**
 * @param {State} state
 * @param {Actions} actions
 */
export function createTable(state, actions) {
  const head = el("tr", {}),
    body = el("tbody", {}),
    table = el("table", { class: "inside-tray-table" }, el("thead", {}, head), body);
  const node = el(
    "div",
    { class: "inside-tray-frame", role: "region", "aria-label": "The tray", tabindex: "0" },
    table,
  );
  const cells = new Cells(state, actions);
  let structure = "";

  /** @param {Shown} shown */
  function build(shown) {
    const { scene, rows, columns } = shown,
      { models } = scene.facts;
    cells.make(shown, (column) => titleOf(scene.facts.columns[column], models).join(", "));
    const heads = columns.map((_, column) => columnHead(shown, column, actions));
    head.replaceChildren(el("td", {}), ...heads);
    body.replaceChildren(
      ...rows.map((_, row) => el("tr", {}, rowHead(shown, row, actions), ...cells.places(row))),
    );
    table.style.setProperty("--columns", String(columns.length));
  }

  /** @param {Shown} shown */
  function open(shown) {
    const { scene, rows, columns, view } = shown;
    const names = rows.map(({ id, name }) => [id, name]);
    const next = JSON.stringify([names, columns.map(wordOf), scene.facts.models, view.key]);
    if (next !== structure) build(shown);
    structure = next;
    cells.paint(shown);
    [...head.children].slice(1).forEach((place, column) => {
      const bar = place.querySelector(".inside-tray-scale");
      bar?.replaceChildren(scaleOf(scene.facts.columns[column]));
    });
  }

  return {
    node,
    cells: () => cells.pictures,
    /** @param {Partial<State>} change */
    draw(change) {
      node.setAttribute("aria-busy", String(state.busy));
      node.hidden = !state.shown;
      if (!state.shown) return;
      if ("shown" in change) open(state.shown);
      cells.markAsked();
    },
  };
}

/** The pictures of the table, row by row. */
class Cells {
  /** @param {State} state @param {Actions} actions */
  constructor(state, actions) {
    this.state = state;
    this.actions = actions;
    /** @type {PatchPicture[][]} */
    this.pictures = [];
    /** @type {HTMLElement[][]} */
    this.notes = [];
  }

  /** @param {Shown} shown @param {(column: number) => string} titles */
  make({ rows, columns }, titles) {
    this.pictures = rows.map(({ name }, row) =>
      columns.map((_, column) => this.cell(row, column, `${titles(column)}, of ${name}`)),
    );
    this.notes = rows.map(() => columns.map(() => el("span", { class: "inside-tray-number" })));
    for (const line of this.pictures) for (const one of line.slice(1)) one.node.tabIndex = -1;
  }

  /** @param {number} row */
  places(row) {
    return this.pictures[row].map((one, column) => el("td", {}, one.node, this.notes[row][column]));
  }

  /** @param {number} row @param {number} column @param {string} label */
  cell(row, column, label) {
    const here = (/** @type {Patch} */ patch) =>
        placeIn(patch, this.grid(row, column), this.home(row)),
      there = (/** @type {Patch} */ patch) =>
        placeIn(patch, this.home(row), this.grid(row, column));
    return new PatchPicture({
      label: `${label}. ${keysSentence(KEYS)}.`,
      from: () => (askedRow(this.state) === row ? there(askedPatch(this.state)) : [null, null]),
      onhover: (r, c) => this.mark(row, here([r, c]), false),
      onleave: () => this.markAsked(),
      onpin: (r, c) => this.actions.ask(row, here([r, c])),
      describe: (r, c) => {
        const { shown } = this.state,
          value = shown ? valueIn(shown.scene, column, row, [r, c]) : "";
        return value ? `${r},${c}: ${value}` : `${r},${c}`;
      },
    });
  }

  /** The grid of a row in model 0. @param {number} row @returns {readonly number[]} */
  home = (row) => this.state.shown?.scene.facts.grids[row] ?? [1, 1];

  /** @param {number} row @param {number} column @returns {readonly number[]} */
  grid(row, column) {
    const { shown } = this.state;
    return shown ? mapOf(shown.scene, column, row).grid : [1, 1];
  }

  /** @param {Shown} shown */
  paint({ scene, rows, columns, view }) {
    const { model, size, patch_size: side } = view;
    rows.forEach(({ id }, row) => {
      const query = new URLSearchParams({ row: id, model, size: String(size) }),
        [h, w] = scene.facts.grids[row];
      columns.forEach((_, column) => {
        const picture = this.pictures[row][column];
        const { grid } = mapOf(scene, column, row);
        picture.show(`tray/picture.jpg?${query}`, grid, [w * side, h * side]);
        paintCell(picture, scene, column, row);
        this.notes[row][column].textContent = numberOf(scene.facts.columns[column], row);
      });
    });
  }

  /**
   * Marks a place in all columns of a row.
   *
   * @param {number} row
   * @param {Patch} patch in the grid of model 0
   * @param {boolean} pinned
   */
  mark(row, patch, pinned) {
    this.pictures[row]?.forEach((one, column) =>
      one.mark(...placeIn(patch, this.home(row), this.grid(row, column)), pinned),
    );
  }

  /** Marks the patch that is asked for, and nothing else. */
  markAsked() {
    for (const line of this.pictures) for (const one of line) one.mark(null, null);
    const { shown } = this.state;
    if (!shown) return;
    const now = { ...this.state, rows: shown.rows };
    this.mark(askedRow(now), askedPatch(now), true);
  }
}
