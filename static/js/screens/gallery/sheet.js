/* Pictures in a grid below the map: what was selected, what is unusual, all but the same, or wrong. */
import { sentenceOf } from "../../page/errors.js";
import { button, choice, slider } from "../../ui/controls.js";
import { el } from "../../ui/dom.js";
import { rafThrottle } from "../../ui/frame.js";
import { KINDS, LOAD } from "./sheet-kinds.js";
import { pairs } from "./state.js";
import { fillTiles, pressTile } from "./tiles.js";

/** @typedef {import("./state.js").State} State */
/** @typedef {import("./sheet-kinds.js").Kind} Kind */

const PAGE = 48; // pictures
const TO_TRAY = "The first twelve of these as rows, with the same views of each";
/** What each kind depends on, beside the gallery. @type {Record<Kind, (keyof State)[]>} */
const DEPENDS = {
  selection: ["selection"],
  unusual: ["layer", "features"],
  doubles: [],
  mistakes: ["layer", "features", "classifier"],
};

/**
 * @param {State} state
 * @param {import("./actions.js").Actions} actions
 * @param {Node} verdict stands beside what is said of mistakes
 */
export function createSheet(state, actions, verdict) {
  /** @type {Kind} */
  let kind = "unusual";
  /** @type {import("./tiles.js").Tile[]} */
  let tiles = [];
  let shown = PAGE,
    asked = 0,
    threshold = 0.95;
  const words = el("p", { class: "inside-note", "aria-live": "polite" }),
    grid = el("div", { class: "inside-tiles", role: "group", "aria-label": "Pictures" }),
    verdictBox = el("div", {}, verdict);
  const more = button("Show more", () => {
    shown += 2 * PAGE;
    draw();
  });
  const onMap = button(
    "Show on the map",
    () => actions.select(indices(), words.textContent ?? ""),
    "Makes these pictures the selection",
  );
  const toTray = button("To the tray", () => actions.toTray(indices()), TO_TRAY);
  const kinds = choice("Which pictures", pairs(KINDS), kind, (next) => openKind(next));
  const limit = createLimit(threshold, (value) => {
    threshold = value;
    void load();
  });
  const controls = el("div", { class: "inside-controls" }, kinds.node, onMap, toTray, limit.node);
  const node = el(
    "section",
    { class: "inside-left inside-gallery-sheet", "aria-label": "Pictures of the gallery" },
    ...[controls, words, verdictBox, grid, more],
  );

  /** The pictures that are listed, each once. */
  const indices = () => [...new Set(tiles.map(({ index }) => index))];

  function draw() {
    more.hidden = tiles.length <= shown;
    onMap.hidden = kind === "selection" || !tiles.length;
    toTray.hidden = !tiles.length;
    limit.node.hidden = kind !== "doubles";
    verdictBox.hidden = kind !== "mistakes";
    grid.classList.toggle("pairs", kind === "doubles");
    if (!state.shown) return;
    const options = { onchoose: actions.pick, chosen: state.chosen };
    fillTiles(grid, state.shown.thumbnails, tiles.slice(0, shown), options);
  }

  /** Another kind: nothing of the one before stays. @param {Kind} next */
  function openKind(next) {
    kind = next;
    shown = PAGE;
    kinds.set(kind);
    fill({ tiles: [], words: "Looking …" });
    void load();
  }

  async function load() {
    const mine = ++asked,
      of = state.shown,
      still = () => mine === asked && state.shown === of;
    if (!of) return;
    grid.toggleAttribute("aria-busy", true);
    const onwait = (/** @type {string} */ text) => fill({ tiles: [], words: text });
    const content = await loadKind(kind, { state, shown: of, threshold, still, onwait });
    if (!content || !still()) return;
    grid.toggleAttribute("aria-busy", false);
    fill(content);
  }

  /** @param {import("./sheet-kinds.js").Content} content */
  function fill(content) {
    tiles = content.tiles;
    words.textContent = content.words;
    draw();
  }

  return {
    node,
    /** @param {Partial<State>} change */
    draw(change) {
      if (!state.shown) return;
      if (change.shown) openKind("unusual");
      else if ("selection" in change) openKind("selection");
      else if ("named" in change || DEPENDS[kind].some((key) => key in change)) void load();
      else if ("chosen" in change) pressTile(grid, state.chosen);
    },
    /** What it shows, as tests read it. */
    get state() {
      return { kind, words: words.textContent, indices: tiles.map(({ index }) => index) };
    },
  };
}

/** How alike near-duplicates are at least. @param {number} value @param {(value: number) => void} onchange */
const createLimit = (value, onchange) =>
  slider("At least", {
    min: 0.8,
    max: 1,
    step: 0.005,
    value,
    format: (least) => least.toFixed(3),
    oninput: rafThrottle(onchange),
  });

/** @param {Kind} kind @param {import("./sheet-kinds.js").Asked} asked */
async function loadKind(kind, asked) {
  try {
    return await LOAD[kind](asked);
  } catch (error) {
    return { words: sentenceOf(error), tiles: [] };
  }
}
