/* The tray in the link of the page. */
import { keep, kept } from "../../page/link.js";
import { selection } from "../../page/selection.js";
import { named } from "./adding.js";
import { keepColouring, linkedColouring } from "./colouring.js";
import { columnOf, FIRST, wordOf } from "./columns.js";
import { askedPatch, askedRow, isPagePicture, MOST } from "./state.js";

/** @typedef {import("./state.js").State} State */
/** @typedef {import("./state.js").Row} Row */

const BETWEEN = "*"; // rows, and columns

/** What the link lists under a name. @param {string} name */
const listed = (name) => (kept(name) ?? "").split(BETWEEN).filter(Boolean).slice(0, MOST);

/** The columns of the link, as far as there are models for them. @param {string} second */
function linkedColumns(second) {
  const words = listed("tray.columns");
  return (words.length ? words : FIRST)
    .map(columnOf)
    .filter((one) => one !== null)
    .filter(({ view, model }) => second || (model === 0 && view !== "difference"));
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
  const second = models.find(([name]) => name === kept("tray.second"))?.[0] ?? "";
  update({
    rows,
    columns: linkedColumns(second),
    second,
    opened,
    colouring: linkedColouring(),
    query: linkedPatch(rows, view),
    words: rows.length < ids.length ? "Some pictures of this link are not here." : "",
  });
}

/** The tray in the link. @param {State} state */
export function write(state) {
  if (!state.shown) return;
  const { rows, columns, second, query } = state;
  keep("tray", rows.map(({ id }) => id).join(BETWEEN));
  const text = columns.map(wordOf).join(BETWEEN);
  keep("tray.columns", text === FIRST.join(BETWEEN) ? null : text);
  keep("tray.second", second || null);
  keepColouring(state.colouring);
  keep("tray.patch", query && `${askedRow(state)}:${askedPatch(state).join(",")}`);
}
