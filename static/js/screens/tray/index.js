/* Tray: up to twelve pictures as rows, chosen views as columns, one basis and one scale for all. */
import { bus } from "../../page/bus.js";
import { InputError } from "../../page/errors.js";
import { fillLesson } from "../../page/lesson.js";
import { kept } from "../../page/link.js";
import { selection } from "../../page/selection.js";
import { takeWaiting } from "../../page/to-tray.js";
import { el } from "../../ui/dom.js";
import { keyHints } from "../../ui/key-hints.js";
import { dropZone } from "../../ui/upload.js";
import { ZipError } from "../../ui/unzip.js";
import { createActions } from "./actions.js";
import { createAdding, nameOfSample } from "./adding.js";
import { createControls } from "./controls.js";
import { exposed } from "./exposed.js";
import { createExports } from "./exports.js";
import { createLoading, fetchChoices } from "./loading.js";
import { followModels, restore, write } from "./linked.js";
import { askedPatch, createState, isPagePicture, MOST } from "./state.js";
import { createTable, KEYS } from "./table.js";
import { createZipChoice } from "./zip-choice.js";

/** @typedef {import("./state.js").State} State */
/** @typedef {import("../../types/page").View} View */

/**
 * @param {HTMLElement} root
 * @param {import("../../page/screens.js").Page} page
 * @returns {import("../../page/screens.js").ScreenParts}
 */
export function create(root, page) {
  const { state, update } = createState((_, change) => draw(change));
  const loading = createLoading(state, update, page),
    adding = createAdding(state, update),
    actions = createActions({ state, update, loading, page });
  const zip = createZipChoice((files) => page.run(() => addFiles(files)));
  const controls = createControls({
    onfiles: take,
    onsample(id) {
      adding.add([{ id, name: nameOfSample(id) }]);
      void page.run(loading.load);
    },
    oncolumn: actions.addColumn,
    onmodel: actions.addModel,
    onmodelgone: actions.removeModel,
    oncolours: actions.colour,
  });
  const table = createTable(state, actions),
    words = el("p", { class: "inside-note", role: "status", hidden: true }),
    exports = createExports(state, table.cells);
  root.append(controls.node, zip.node, words, table.node, keyHints(KEYS), exports.node);
  dropZone(root, (transfer) => take([...transfer.files]));
  /** @type {import("./adding.js").Choices | null} */
  let choices = null;
  const addFiles = async (/** @type {File[]} */ files) => {
    await adding.addFiles(files);
    await loading.load();
  };

  /** Files, or one zip of them. @param {File[]} files */
  function take(files) {
    const zipped = files.find(({ name }) => /\.zip$/i.test(name));
    void page.run(async () => {
      if (!zipped) return addFiles(files);
      await zip.ask(zipped, MOST - state.rows.length).catch((error) => {
        throw error instanceof ZipError ? new InputError(error.message) : error;
      });
    });
  }

  /** @param {Partial<State>} change */
  function draw(change) {
    controls.draw(state);
    if ("words" in change) {
      words.textContent = state.words;
      words.hidden = !state.words;
    }
    table.draw(change);
    write(state);
    page.expose(exposed(state));
    exports.refresh();
    if (state.shown) lesson(state);
  }

  followSelection(state, update, loading);

  /* A model may have come or gone since: the list is as new as the opened screen. */
  bus.on("screen", ({ name }) => void (name === "tray" && choices && page.run(chooseAnew)));
  async function chooseAnew() {
    choices = await fetchChoices();
    controls.offer(choices);
    if (followModels(state, update, choices)) await loading.load();
  }

  // Before the tray has been shown, the first show takes them.
  bus.on("tray", () => void (choices && page.run(received)));
  async function received() {
    await adding.receive(takeWaiting());
    await adding.addPagePicture();
    await loading.load();
  }

  return {
    lazy: true,
    /** @param {View} view */
    async show(view) {
      update({ view });
      const isNew = !choices;
      choices = await fetchChoices();
      controls.offer(choices);
      if (isNew) await restore(state, update, choices);
      else followModels(state, update, choices);
      const others = isNew && (await adding.receive(takeWaiting()));
      await adding.addPagePicture();
      if (isNew && kept("tray") === null && !others) adding.fillUp(choices);
      await loading.load();
    },
  };
}

/**
 * The page's patch is the tray's where it lies in the page's picture.
 *
 * @param {State} state
 * @param {import("./state.js").Update} update
 * @param {ReturnType<typeof createLoading>} loading
 */
function followSelection(state, update, loading) {
  bus.on("selection", ({ change }) => {
    const { row, col } = selection,
      own = state.rows.find((one) => isPagePicture(one, state.view));
    if (!("row" in change) || row === null || col === null || !own || !state.shown) return;
    const [r, c] = askedPatch(state);
    if (state.query?.row === own.id && r === row && c === col) return;
    update({ query: { row: own.id, patch: [row, col] } });
    if (state.columns.some(({ asked }) => asked)) loading.soon();
  });
}

/** @param {State} state */
function lesson({ shown }) {
  if (!shown) return;
  const { grids, columns } = shown.scene.facts,
    pca = columns.find(({ view }) => view === "pca"),
    similar = columns.find(({ view }) => view === "similar");
  fillLesson("tray", {
    pictures: grids.length,
    patches: grids.reduce((sum, [h, w]) => sum + h * w, 0),
    ...(pca ? { variance: pca.note.split(" of ")[0] } : {}),
    ...(similar ? { best: similar.numbers.map((one) => one.toFixed(2)).join(", ") } : {}),
  });
}
