/* What the screen shows, in one object that is changed in one place. */
import { keep, kept } from "../../page/link.js";
import { selection } from "../../page/selection.js";
import { editsFromLink, editsInLink, fits, isKind, KINDS } from "./edits.js";
import { referenceOf, SAMPLES } from "./references.js";
import { overFromLink, overInLink } from "./screening-choice.js";
import { linkedColouring } from "./screening.js";
import { createUndo } from "./undo.js";

/** @typedef {import("../../types/page").View} View */
/** @typedef {import("../../types/scenes").whatif.WhatIfScene} WhatIfScene */
/** @typedef {import("../../types/scenes").whatif.PrototypesScene} PrototypesScene */
/** @typedef {import("../../types/scenes").whatif_nearest.NearestScene} NearestScene */
/** @typedef {import("./edits.js").Kind} Kind */
/** @typedef {import("./edits.js").Edit} Edit */
/** @typedef {"patches" | "who" | "whom"} Brush what a stroke chooses */
/** @typedef {import("../../types/scenes").whatif_screening.ScreeningScene} ScreeningScene */
/** @typedef {{ of: "cls" | "patches" | "accuracy", value: string }} Colouring what the grid's colours say */
/** @typedef {{ name: string, most: number }} Over a gallery's name (empty: the open picture alone) */

/**
 * @typedef {object} Around what there is to ask
 * @property {string | null} pair
 * @property {[name: string, title: string][]} galleries whose features are of this model
 * @property {[name: string, title: string, count: number][]} references pictures that values are taken
 *   from, or that are screened
 * @property {[name: string, label: string][]} models that are on the server
 */

/**
 * @typedef {object} Beside the same changes in another model
 * @property {string} model
 * @property {string} title
 * @property {WhatIfScene} scene
 * @property {number} left how many changes it cannot have
 */

/**
 * @typedef {object} Question
 * @property {View} view
 * @property {string[]} texts the changes that hold
 * @property {string} reference the name of the pictures that values are taken from
 */

/**
 * @typedef {object} Answers what the server answered, all of one question
 * @property {WhatIfScene} scene
 * @property {import("../../types/plotly").Charts | null} charts
 * @property {PrototypesScene | null} prototypes
 * @property {NearestScene | null} nearest
 * @property {number[]} alone 1 - cosine of the class token by each change alone; empty: not asked for
 * @property {[Kind, WhatIfScene][]} four the same places with each value; empty: not asked for
 * @property {Beside | null} beside null: not asked for, or not there yet
 */

/** @typedef {Question & Answers} Shown */

/**
 * @typedef {object} State
 * @property {View | null} view the picture that was asked for last
 * @property {readonly Edit[]} edits in the order in which they hold
 * @property {Kind} kind what is put where something is switched off
 * @property {Brush} brush
 * @property {number} block whose entering stream the brush changes
 * @property {Set<number>} who patches that are not to see
 * @property {Set<number>} whom patches that are not to be seen
 * @property {boolean} isFour the four values side by side
 * @property {string} other the model that has the same changes beside the page's; empty: none
 * @property {[number, number] | null} hovered the patch under the pointer
 * @property {Around | null} around what there is to ask of the picture whose key is `aroundOf`
 * @property {string} aroundOf
 * @property {string} gallery whose pictures are searched
 * @property {{ state: string, done: number, total: number, words: string } | null} screening how far it is
 * @property {{ of: string, heads: ScreeningScene, blocks: ScreeningScene } | null} effects of every part;
 *   `of`: what was asked, as a query
 * @property {string} reference the name of the set that values are taken from
 * @property {Over} over what is screened
 * @property {string | null} pointed the part of the grid under the pointer or the keyboard
 * @property {Colouring} colouring
 * @property {boolean} isColoured whether the grid of the next picture is to have colours, too
 * @property {Shown | null} shown
 */

/** @param {(state: State, change: Partial<State>) => void} render draws what a change concerns */
export function createState(render) {
  const value = kept("whatif.value");
  /** @type {State} */
  const state = {
    view: null,
    edits: editsFromLink(kept("whatif")),
    kind: KINDS.find(([kind]) => kind === value)?.[0] ?? KINDS[0][0],
    brush: "patches",
    block: 0,
    who: new Set(),
    whom: new Set(),
    isFour: kept("whatif.four") === "1",
    other: kept("whatif.other") ?? "",
    hovered: null,
    around: null,
    aroundOf: "",
    gallery: kept("whatif.gallery") ?? "samples",
    screening: null,
    effects: null,
    reference: kept("whatif.reference") ?? SAMPLES,
    over: overFromLink(kept("whatif.over")),
    pointed: null,
    isColoured: linkedColouring() !== null,
    colouring: linkedColouring() ?? { of: "cls", value: KINDS[0][0] },
    shown: null,
  };

  /** @param {Partial<State>} change */
  function update(change) {
    Object.assign(state, change);
    keepInLink(change);
    if ("other" in change) keep("whatif.other", change.other || null);
    render(state, change);
  }
  return { state, update };
}

/** @param {Partial<State>} change */
function keepInLink(change) {
  if (change.edits) keep("whatif", editsInLink(change.edits));
  if (change.kind) keep("whatif.value", change.kind === KINDS[0][0] ? null : change.kind);
  if ("isFour" in change) keep("whatif.four", change.isFour ? "1" : null);
  if (change.reference)
    keep("whatif.reference", change.reference === SAMPLES ? null : change.reference);
  if (change.over) keep("whatif.over", overInLink(change.over));
  if (change.gallery) keep("whatif.gallery", change.gallery === "samples" ? null : change.gallery);
}

/**
 * Everything that changes the list of changes; each can be undone.
 *
 * @param {State} state
 * @param {(edits: readonly Edit[]) => void} onchange
 */
export function createEditing(state, onchange) {
  const undo = createUndo();

  /** @param {readonly Edit[]} edits @param {string} [step] */
  function set(edits, step) {
    if (editsInLink(edits) === editsInLink(state.edits)) return; // nothing that could be undone
    undo.push(state.edits, step);
    onchange(edits);
  }
  /** @param {readonly Edit[] | null} edits */
  const restore = (edits) => edits && onchange(edits);
  return {
    set,
    /** A change more, at the end. @param {string} text @param {string} [step] */
    add: (text, step) => set([...state.edits, { text, on: true }], step),
    /**
     * Another change in the place of the one at `at`; null: without it.
     *
     * @param {number} at
     * @param {string | null} text
     * @param {string} [step]
     */
    replace: (at, text, step) =>
      set(
        state.edits.flatMap((edit, i) =>
          i !== at ? [edit] : text === null ? [] : [{ text, on: true }],
        ),
        step,
      ),
    /** @param {number} at @param {number} by */
    move(at, by) {
      const edits = [...state.edits];
      edits.splice(at + by, 0, ...edits.splice(at, 1));
      set(edits);
    },
    /** Whether it holds. @param {number} at */
    flip: (at) => set(state.edits.map((edit, i) => (i === at ? { ...edit, on: !edit.on } : edit))),
    undo: () => restore(undo.undo(state.edits)),
    redo: () => restore(undo.redo(state.edits)),
    rest: undo.rest,
    canUndo: undo.canUndo,
    canRedo: undo.canRedo,
  };
}

/** @typedef {ReturnType<typeof createEditing>} Editing */

/** The changes that hold in the open picture and model. @param {State} state */
export const textsOf = ({ view, edits }) =>
  view ? edits.filter(({ text, on }) => on && fits(text, view)).map(({ text }) => text) : [];

/** What is to be asked now. @param {State & { view: View }} state @returns {Question} */
export const questionOf = (state) => ({
  view: state.view,
  texts: textsOf(state),
  reference: referenceOf(state),
});

/** Whether two questions are the same. @param {Question} a @param {Question} b */
export const isSame = (a, b) =>
  a.view.key === b.view.key && a.texts.join() === b.texts.join() && a.reference === b.reference;

/** The layer that is shown. @param {View} view */
export const layerOf = (view) => selection.layer ?? view.layers - 1;

/** Whether some value could be another. @param {readonly string[]} texts */
export const hasKind = (texts) => texts.some((text) => isKind(text.slice(text.indexOf("=") + 1)));
