/* What the tokens screen shows, in one object that is changed in one place. Its three parts share the
   patch; each holds the picture that its numbers are of, which lags behind while another is on its way. */
import { keep, kept } from "../../page/link.js";
import { blockNumbers, patchNumbers, positionNumbers } from "./numbers.js";

/** @typedef {import("../../types/page").View} View */
/** @typedef {import("../../types/scenes").tokens.PatchesScene} PatchesScene */
/** @typedef {import("../../types/scenes").tokens.PositionsScene} PositionsScene */
/** @typedef {import("../../types/scenes").tokens.BlocksScene} BlocksScene */
/** @typedef {import("../../types/plotly").Chart} Chart */

/** @typedef {"patches" | "positions" | "blocks"} PartName */
/** @typedef {"components" | "filters"} FilterKind */
/** @typedef {{ kind: FilterKind, index: number }} Filter */

/**
 * @typedef {object} Patches
 * @property {View} view
 * @property {PatchesScene} scene
 * @property {HTMLImageElement} source the picture as it came
 * @property {Float32Array} pixels normalised, [P, 3 p p]
 */

/** @typedef {{ view: View, scene: PositionsScene }} Positions */
/** @typedef {{ view: View, scene: BlocksScene }} Blocks */

/**
 * @typedef {object} State
 * @property {View | null} view the page's picture: what the parts are to show
 * @property {PartName} part the one that is open
 * @property {Patches | null} patches
 * @property {Positions | null} positions
 * @property {Blocks | null} blocks
 * @property {{ lengths: Chart, updates: Chart } | null} charts of the blocks
 * @property {readonly [number, number] | null} hovered the patch under the pointer
 * @property {readonly [number, number] | null} cell of the learned grid, while it is pointed at
 * @property {FilterKind} kind which filters the sheet shows
 * @property {number} page of the sheet
 * @property {Filter | null} filter that is kept
 * @property {Filter | null} pointed the filter under the pointer
 * @property {boolean} dots where the picture's positions are taken from, drawn on the learned grid
 * @property {boolean} before the walk stands before the first block, whatever layer is selected
 * @property {number} strength of the overlay of lengths, 0 to 1
 * @property {ReturnType<typeof patchNumbers> | null} patchNumbers of the patch, while that part is open
 * @property {ReturnType<typeof positionNumbers> | null} positionNumbers
 * @property {ReturnType<typeof blockNumbers> | null} blockNumbers
 */

/** @typedef {(change: Partial<State>) => void} Update */

export const PARTS = /** @type {const} */ ([
  ["patches", "Patches"],
  ["positions", "Positions"],
  ["blocks", "Blocks"],
]);

/**
 * @param {(state: State, change: Partial<State>) => void} render draws what a change concerns
 * @returns {{ state: State, update: Update }}
 */
export function createState(render) {
  const filter = linkedFilter();
  /** @type {State} */
  const state = {
    view: null,
    part: PARTS.find(([name]) => name === kept("part"))?.[0] ?? "patches",
    patches: null,
    positions: null,
    blocks: null,
    charts: null,
    hovered: null,
    cell: null,
    kind: filter?.kind ?? "components",
    page: filter ? pageOf(filter) : 0,
    filter,
    pointed: null,
    dots: true,
    before: kept("step") === "in",
    strength: 0.85,
    patchNumbers: null,
    positionNumbers: null,
    blockNumbers: null,
  };

  /** @type {Update} */
  function update(change) {
    Object.assign(state, change);
    keepInLink(state, change);
    if (state.patches && state.part === "patches") state.patchNumbers = patchNumbers(state);
    if (state.positions && state.part === "positions")
      state.positionNumbers = positionNumbers(state);
    if (state.blocks && state.part === "blocks") state.blockNumbers = blockNumbers(state);
    render(state, change);
  }
  return { state, update };
}

/** @param {State} state @param {Partial<State>} change */
function keepInLink({ part, filter, before }, change) {
  if ("part" in change) keep("part", part === "patches" ? null : part);
  if ("filter" in change) keep("filter", filter && `${filter.kind}-${filter.index}`);
  if ("before" in change) keep("step", before ? "in" : null);
}

/** The filter that the link names, "components-3" or "filters-17". @returns {Filter | null} */
function linkedFilter() {
  const [, kind, index] = /^(components|filters)-(\d+)$/.exec(kept("filter") ?? "") ?? [];
  return kind ? { kind: /** @type {FilterKind} */ (kind), index: Number(index) } : null;
}

/** What the open part holds; null while nothing of it has come. @param {State} state */
export const heldOf = (state) => state[state.part];

/** Whether what is shown is of an older picture. @param {State} state */
export const isWaiting = (state) => heldOf(state)?.view.key !== state.view?.key;

// ---------- the sheet of filters

export const FILTER_COLUMNS = 16;
const FILTER_ROWS = 8; // of one page of raw filters

/** How many filters of a kind there are. @param {PatchesScene} scene @param {FilterKind} kind */
export const countOf = (scene, kind) => scene.shapes[kind][0];

/**
 * How many of them a page holds: all components, or 8 rows.
 *
 * @param {PatchesScene} scene
 * @param {FilterKind} kind
 */
export const perPage = (scene, kind) =>
  kind === "components" ? countOf(scene, kind) : FILTER_COLUMNS * FILTER_ROWS;

/** The page that a filter is on. @param {Filter} filter */
const pageOf = ({ kind, index }) =>
  kind === "components" ? 0 : Math.floor(index / (FILTER_COLUMNS * FILTER_ROWS));

/**
 * Keeps a filter, or lets it go if it is kept already; the sheet turns to it.
 *
 * @param {State} state
 * @param {Filter} filter
 * @returns {Partial<State>}
 */
export function choiceOfFilter(state, filter) {
  if (!state.patches || filter.index >= countOf(state.patches.scene, filter.kind)) return {};
  const same = state.filter?.kind === filter.kind && state.filter.index === filter.index;
  const opened =
    filter.kind !== state.kind || pageOf(filter) !== state.page
      ? { kind: filter.kind, page: pageOf(filter), pointed: null }
      : {};
  return { filter: same ? null : filter, ...opened };
}
