/* A stroke of the brush: the patches that it goes over are added or taken away, and a change is made of
   them when it ends. */
import { parse, patchesOf, wayBetween, whoText } from "./edits.js";

/** @typedef {import("./state.js").State} State */
/** @typedef {readonly [row: number, col: number]} Cell */

/**
 * The change that the brush makes: of the stream that enters a block, with the value that is chosen.
 *
 * @param {Pick<State, "edits" | "block" | "kind">} state
 * @returns {number} its place in the list; -1: there is none yet
 */
export const brushed = ({ edits, block, kind }) =>
  edits.findIndex(({ text }) => {
    const change = parse(text);
    return (
      change?.site === "tokens" &&
      change.first === block &&
      change.last === block &&
      change.value === kind
    );
  });

/**
 * The patches that the brush holds now.
 *
 * @param {State} state
 * @returns {ReadonlySet<number>}
 */
export function heldBy(state) {
  const { view, brush, edits } = state;
  if (brush !== "patches") return state[brush];
  const at = brushed(state);
  return view && at >= 0 ? patchesOf(parse(edits[at].text)?.who ?? null, view.grid) : new Set();
}

/**
 * @param {State} state
 * @param {(change: Partial<State>) => void} update
 * @param {import("./state.js").Editing} editing
 * @param {() => unknown} onstroke it has gone on
 */
export function createStrokes(state, update, editing, onstroke) {
  /** @type {{ held: Set<number>, adds: boolean, at: Cell } | null} */
  let stroke = null;

  /** @param {Cell} cell @param {boolean} [adds] without: whether the first patch is not held yet */
  function begin(cell, adds) {
    if (!state.view) return;
    const held = new Set(heldBy(state)),
      index = cell[0] * state.view.grid[1] + cell[1];
    stroke = { held, adds: adds ?? !held.has(index), at: cell };
    goOn(cell);
  }
  /** @param {Cell} cell */
  function goOn(cell) {
    if (!stroke || !state.view) return;
    for (const [row, col] of wayBetween(stroke.at, cell)) {
      const index = row * state.view.grid[1] + col;
      if (stroke.adds) stroke.held.add(index);
      else stroke.held.delete(index);
    }
    stroke.at = cell;
    onstroke();
  }
  function end() {
    if (!stroke || !state.view) return;
    const { held } = stroke;
    stroke = null;
    if (state.brush === "patches") change(held, state.view.grid);
    else update({ [state.brush]: held });
  }
  /** @param {Set<number>} held @param {readonly [number, number]} grid */
  function change(held, grid) {
    const at = brushed(state),
      text = held.size ? `tokens:${state.block}[${whoText(held, grid)}]=${state.kind}` : null;
    if (at >= 0) editing.replace(at, text);
    else if (text) editing.add(text);
  }
  return {
    begin,
    goOn,
    end,
    /** One patch, for itself. @param {Cell} cell @param {boolean} [adds] */
    dab(cell, adds) {
      begin(cell, adds);
      end();
    },
    forget() {
      stroke = null;
      onstroke();
    },
    /** The patches of the stroke that goes on; null: there is none. */
    held: () => stroke?.held ?? null,
  };
}
