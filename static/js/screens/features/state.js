/* What the features screen shows, in one object that is changed in one place. */
import { keep, kept } from "../../page/link.js";
import { selection } from "../../page/selection.js";
import { settings } from "../../settings.js";

/** @typedef {import("../../types/page").View} View */
/** @typedef {"colours" | "depth" | "pair" | "map" | "compare"} Mode a way of looking */

/**
 * @typedef {object} Changes what differs from the preset, by the names of PCAConfig
 * @property {boolean} [foreground]
 * @property {number} [threshold]
 * @property {boolean} [median]
 * @property {boolean} [whiten]
 * @property {"minmax" | "sigmoid"} [colours]
 * @property {number[]} [components] from 0, shown as red, green, blue
 */

/**
 * @typedef {object} Colouring how a PCA is coloured
 * @property {string} preset
 * @property {boolean} flip foreground and background
 * @property {Changes} changes
 */

/**
 * @typedef {object} Around what the picture can be compared with now
 * @property {string | null} before key of the picture that was open before
 * @property {[name: string, label: string][]} models
 * @property {string} umap "ready", "broken", or on its way
 */

/**
 * @typedef {View & { first: string, words?: string }} Second a second picture, or this one in another
 *   model; first: key of the picture that it stands beside
 */

/**
 * @typedef {object} State
 * @property {View | null} view the picture that was asked for last
 * @property {Mode} mode
 * @property {[number, number] | null} hovered the patch of the first picture under the pointer
 * @property {Colouring} colouring
 * @property {Around} around
 * @property {import("./colours/state.js").Colours} colours
 * @property {import("./depth/state.js").Depth} depth
 * @property {import("./pair/state.js").Pair} pair
 * @property {import("./map/state.js").PatchMap} map
 * @property {import("./compare/state.js").Compare} compare
 */

/**
 * @typedef {object} Screen what a way of looking is handed
 * @property {State} state
 * @property {(change: Partial<State>) => void} update changes the state and draws
 * @property {() => void} reload loads what the way shows, for what has been chosen in it
 * @property {(work: () => unknown) => Promise<boolean>} run
 * @property {() => boolean} isSeen
 * @property {() => Promise<Around>} lookAround
 * @property {Pointing} pointing
 */

/**
 * @typedef {object} Pointing of a picture that shows the page's own patch
 * @property {(row: number, col: number) => void} onhover
 * @property {() => void} onleave
 * @property {(row: number, col: number) => void} onpin
 * @property {(key: string) => boolean} onkey
 */

/**
 * @typedef {object} Request
 * @property {View} view
 * @property {number} layer
 * @property {() => boolean} isOvertaken asked after every wait: whether something else is wanted by now
 */

/**
 * @typedef {object} Way
 * @property {HTMLElement} node
 * @property {(request: Request) => Promise<void>} load and puts it into the state
 * @property {(request: { view: View, layer: number }) => string[]} needs what is fetched ahead
 * @property {() => boolean} isReady
 * @property {() => void} draw what is ready
 * @property {() => object} exposed what it shows, as tests read it
 * @property {() => void} [resized]
 * @property {import("../../page/export.js").Exports} exports of what is shown
 */

/**
 * @param {Omit<State, "view" | "hovered" | "colouring" | "around">} parts
 * @param {(state: State, change: Partial<State>) => void} render draws what a change concerns
 */
export function createState(parts, render) {
  /** @type {State} */
  const state = {
    view: null,
    hovered: null,
    colouring: linkedColouring(),
    around: { before: null, models: [], umap: "cold" },
    ...parts,
  };

  /** @param {Partial<State>} change */
  function update(change) {
    Object.assign(state, change);
    if (change.colouring) keepColouring(change.colouring);
    render(state, change);
  }
  return { state, update };
}

const PRESET = "paper"; // of the paper's own recipe

/** What the link says of the preset and the sides. @returns {Colouring} */
const linkedColouring = () => ({
  preset: settings.presets.find(([name]) => name === kept("features.preset"))?.[0] ?? PRESET,
  flip: kept("features.flip") === "1",
  changes: {},
});

/** @param {Colouring} colouring */
function keepColouring({ preset, flip }) {
  keep("features.preset", preset === PRESET ? null : preset);
  keep("features.flip", flip ? "1" : null);
}

/**
 * The one patch of the screen: the one under the pointer, else the one that is kept, else the middle.
 *
 * @param {State} state
 * @param {readonly [number, number]} grid of the picture that is shown
 */
export function patchOf({ hovered }, [h, w]) {
  const chosen = selection.row === null ? null : [selection.row, selection.col ?? 0];
  const [r, c] = hovered ?? chosen ?? [Math.floor(h / 2), Math.floor(w / 2)];
  const row = Math.min(r, h - 1),
    col = Math.min(c, w - 1); // the grid may be an older picture's
  return { row, col, index: row * w + col, isKept: hovered === null };
}

/**
 * A colouring as a query; only what was changed, so that stored responses are found.
 *
 * @param {Colouring} colouring
 * @returns {Record<string, string | number | boolean>}
 */
export function colouringQuery({ preset, flip, changes }) {
  const { components, ...others } = changes;
  return { preset, flip, ...others, ...(components ? { components: components.join(",") } : {}) };
}
