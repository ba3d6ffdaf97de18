/* The tray in the link of the page. */
import { keep, kept } from "../../page/link.js";
import { selection } from "../../page/selection.js";
import { named } from "./adding.js";
import { keepColouring, linkedColouring } from "./colouring.js";
import { columnOf, columnsOf, FIRST, wordOf } from "./columns.js";
import { askedPatch, askedRow, isPagePicture, MOST } from "./state.js";

/** @typedef {import("./state.js").State} State */
/** @typedef {import("./state.js").Row} Row */

const BETWEEN = "*"; // rows, columns, and models

/** What the link lists under a name. @param {string} name */
const listed = (name) => (kept(name) ?? "").split(BETWEEN).filter(Boolean).slice(0, MOST);

/** The columns that the link names. */
function linkedColumns() {
  const words = listed("tray.columns");
  return (words.length ? words : FIRST).map(columnOf).filter((one) => one !== null);
}

/**
 * The patch of the link, or the one that the page has chosen.
 *
 * @param {readonly Row[]} rows
 * @param {State["view"]} view
 * @returns {State["query"]}
 */
function linkedPatch(rows, view) {
  const place = /^(\d+):(\d+),(\d+)$/.exec(kept("tray.patch") ?? ""),
    row = place && rows[Number(place[1])];
  if (row) return { row: row.id, patch: [Number(place[2]), Number(place[3])] };
  const own = rows.find((one) => isPagePicture(one, view));
  if (!own || selection.row === null || selection.col === null) return null;
  return { row: own.id, patch: [selection.row, selection.col] };
}

/**
 * Those models that there are, each once.
 *
 * @param {import("./adding.js").Choices["models"]} models
 * @param {readonly string[]} wanted
 */
export const foundIn = (models, wanted) =>
  [...new Set(wanted)].filter((name) => models.some(([one]) => one === name)).slice(0, MOST - 1);

/**
 * What the link says of the tray; its pictures may have gone.
 *
 * @param {State} state
 * @param {import("./state.js").Update} update
 * @param {import("./adding.js").Choices} choices
 */
export async function restore({ view }, update, { models, opened }) {
  const ids = listed("tray"),
    found = ids.length ? await named(ids.map((id) => ({ id, name: "" }))) : [],
    rows = found.filter(({ name }) => name);
  const wanted = listed("tray.second"),
    others = foundIn(models, wanted);
  const missing = [
    rows.length < ids.length ? "Some pictures of this link are not here." : "",
    others.length < new Set(wanted).size ? "Some models of this link are not here." : "",
  ];
  update({
    rows,
    columns: columnsOf(linkedColumns(), wanted, others),
    others,
    opened,
    colouring: linkedColouring(),
    query: linkedPatch(rows, view),
    words: missing.filter(Boolean).join(" "),
  });
}

/**
 * Another list of models: those that are no longer there go, and their columns with them. Whether any
 * did.
 *
 * @param {State} state
 * @param {import("./state.js").Update} update
 * @param {import("./adding.js").Choices} choices
 */
export function followModels({ columns, others }, update, { models, opened }) {
  const still = foundIn(models, others);
  if (still.length === others.length) {
    update({ opened });
    return false;
  }
  const words = "A model is no longer here: its columns went with it.";
  update({ opened, others: still, columns: columnsOf(columns, others, still), words });
  return true;
}

/** The tray in the link. @param {State} state */
export function write(state) {
  if (!state.shown) return;
  const { rows, columns, others, query } = state;
  keep("tray", rows.map(({ id }) => id).join(BETWEEN));
  const text = columns.map(wordOf).join(BETWEEN);
  keep("tray.columns", text === FIRST.join(BETWEEN) ? null : text);
  keep("tray.second", others.join(BETWEEN) || null);
  keepColouring(state.colouring);
  keep("tray.patch", query && `${askedRow(state)}:${askedPatch(state).join(",")}`);
}
