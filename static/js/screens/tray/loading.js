/* What the tray asks the server for. */
import { NotShownYet, ServerError } from "../../page/errors.js";
import { fetchScene, requestJson } from "../../page/scenes.js";
import { plural } from "../../ui/format.js";
import { debounce } from "../../ui/frame.js";
import { named, sent } from "./adding.js";
import { changed } from "./colouring.js";
import { askedWord } from "./columns.js";
import { askedPatch, askedRow } from "./state.js";

/** @typedef {import("./state.js").State} State */

/**
 * What the server is asked for to show a tray.
 *
 * @param {Pick<State, "view" | "rows" | "columns" | "query" | "others" | "colouring">} state
 * @param {Record<string, string | number | boolean>} [more]
 */
export function trayQuery(state, more = {}) {
  const { view, rows, columns, others } = state;
  if (!view) throw new NotShownYet();
  const query = new URLSearchParams(),
    [row, patch] = [askedRow(state), askedPatch(state)];
  for (const { id } of rows) query.append("rows", id);
  for (const column of columns) query.append("columns", askedWord(column, row, patch));
  query.set("model", view.model);
  query.set("size", String(view.size));
  for (const name of others) query.append("second", name);
  const asked = { ...changed(state.colouring), ...more };
  for (const [name, value] of Object.entries(asked)) query.set(name, String(value));
  return query;
}

/**
 * @param {State} state
 * @param {import("./state.js").Update} update
 * @param {import("../../page/screens.js").Page} page
 */
export function createLoading(state, update, page) {
  let asked = 0;

  async function load() {
    const mine = ++asked,
      { view, rows, columns, others } = state;
    if (!view) return;
    update({ busy: true });
    try {
      const scene =
        rows.length && columns.length
          ? await fetchTray(state).catch((error) => recovered(error, state, update))
          : null;
      if (mine !== asked) return; // overtaken
      update({ shown: scene && { scene, rows: state.rows, columns, others, view } });
    } finally {
      if (mine === asked) update({ busy: false });
    }
  }

  const soon = debounce(() => void page.run(load), 150);
  return { load, soon };
}

/** @param {State} state @returns {Promise<import("./state.js").TrayScene>} */
const fetchTray = (state) => fetchScene(`tray/filled?${trayQuery(state)}`);

/**
 * The server has lost pictures: those that this page still has are sent again.
 *
 * @param {unknown} error
 * @param {State} state
 * @param {import("./state.js").Update} update
 */
async function recovered(error, state, update) {
  if (!(error instanceof ServerError) || error.status !== 422) throw error;
  const kept = await named(state.rows);
  if (kept.every(({ name }) => name)) throw error; // it is about something else
  const again = (/** @type {File | undefined} */ file) =>
    file ? sent(file).catch(() => null) : null;
  const rows = await Promise.all(
    state.rows.map((row, at) => (kept[at].name ? row : again(row.file))),
  );
  const still = rows.filter((row) => row !== null),
    gone = rows.length - still.length;
  const words = gone ? `${plural(gone, "picture is", "pictures are")} no longer kept.` : "";
  update({ rows: still, words });
  return still.length ? fetchTray(state) : null;
}

/** @returns {Promise<import("./adding.js").Choices>} */
export const fetchChoices = () => requestJson("tray/choices");
