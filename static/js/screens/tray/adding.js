/* How pictures come into the tray: files, samples, and the page's own. */
import { InputError, ServerError } from "../../page/errors.js";
import { pictureToSend } from "../../page/picture-upload.js";
import { keepFile } from "../../page/reopening.js";
import { request, requestJson } from "../../page/scenes.js";
import { plural } from "../../ui/format.js";
import { isPagePicture, MOST } from "./state.js";

/** @typedef {import("./state.js").State} State */
/** @typedef {import("./state.js").Row} Row */
/**
 * @typedef {object} Choices
 * @property {[string, string][]} models name, and what the list says of it
 * @property {Record<string, string>} titles short, by name
 * @property {[string, string][]} samples
 * @property {State["opened"]} opened
 */

const FULL = `A tray holds ${MOST} pictures: remove one first.`;
const MORE = 3; // samples beside the page's picture in a new tray

/**
 * @param {State} state
 * @param {import("./state.js").Update} update
 */
export function createAdding(state, update) {
  /** @param {readonly Row[]} rows */
  function add(rows) {
    const fresh = rows.filter(({ id }) => !state.rows.some((row) => row.id === id)),
      room = MOST - state.rows.length;
    if (!fresh.length) return;
    update({
      rows: [...state.rows, ...fresh.slice(0, room)],
      words: fresh.length > room ? FULL : `${plural(fresh.length, "picture", "pictures")} added.`,
    });
  }

  /** Files that were dropped or chosen. @param {readonly File[]} files */
  async function addFiles(files) {
    const room = MOST - state.rows.length;
    if (!room) throw new InputError(FULL);
    const rows = [],
      refused = [];
    update({ busy: true });
    for (const file of files.slice(0, room))
      try {
        rows.push(await sent(file));
      } catch (error) {
        if (!(error instanceof ServerError || error instanceof InputError)) throw error;
        refused.push(`${file.name}: ${error.message}`);
      }
    add(rows);
    if (files.length > room) refused.push(`${FULL} ${files.length - room} were left out.`);
    if (refused.length) update({ words: refused.join(" ") });
  }

  /** The page's picture has a row, where there is room for it. */
  async function addPagePicture() {
    const { view, rows } = state;
    if (!view || rows.some((row) => isPagePicture(row, view)) || rows.length >= MOST) return;
    if (view.sample)
      update({ rows: [...rows, { id: `sample/${view.sample}`, name: view.sample }] });
    else if (view.origin?.startsWith("gallery/")) {
      const [found] = await named([{ id: view.origin, name: "" }]);
      if (found.name) update({ rows: [...state.rows, { ...found, id: view.origin }] });
    } else {
      const query = new URLSearchParams({ source: view.key, name: "your-picture.jpg" });
      /** @type {{ row: string, name: string }} */
      const made = await requestJson(`tray/pictures?${query}`, { method: "POST" });
      const { row: id, name } = made;
      update({ rows: [...state.rows, { id, name, origin: view.origin ?? `upload/${id}` }] });
    }
  }

  /** Rows that another screen has put here; whether there were any. @param {readonly string[]} ids */
  async function receive(ids) {
    if (!ids.length) return false;
    const found = await named(ids.map((id) => ({ id, name: "" }))),
      rows = found.filter(({ name }) => name);
    update({ rows, words: `${plural(rows.length, "picture", "pictures")} put here.` });
    return true;
  }

  /** A few samples, so that a new tray is one. @param {Choices} choices */
  function fillUp({ samples }) {
    const others = samples.filter(([id]) => !state.rows.some((row) => row.id === id));
    const rows = others.slice(0, MORE).map(([id]) => ({ id, name: nameOfSample(id) }));
    update({ rows: [...state.rows, ...rows] });
  }
  return { add, addFiles, addPagePicture, receive, fillUp };
}

/** @param {string} id */
export const nameOfSample = (id) => id.slice("sample/".length);

/**
 * The rows with the names that the server has for them; without one it does not keep them.
 *
 * @param {readonly Row[]} rows
 * @returns {Promise<Row[]>}
 */
export async function named(rows) {
  const query = new URLSearchParams();
  for (const { id } of rows) query.append("rows", id);
  /** @type {{ row: string, name: string }[]} */
  const found = await requestJson(`tray/rows?${query}`);
  return found.map(({ row: id, name }) => ({ id, name }));
}

/** @param {File} file @returns {Promise<Row>} */
export async function sent(file) {
  const body = await pictureToSend(file),
    query = new URLSearchParams({ name: file.name });
  const answer = await request(`tray/pictures?${query}`, { method: "POST", body });
  const { row: id, name } = await answer.json();
  keepFile(`${id}/${file.name}`, file);
  return { id, name, file };
}
