/* The patches of all pictures that are most like one of the chosen picture's. */
import { sentenceOf } from "../../page/errors.js";
import { el } from "../../ui/dom.js";
import { fillTiles } from "./tiles.js";

/** @typedef {import("./state.js").State} State */
/** @typedef {import("./data.js").Patches} Patches */

/** @type {Record<string, readonly [number, number]>} */
const MOVES = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
const FOUND = 10;

/** @param {number} value @param {number} count */
const within = (value, count) => Math.min(Math.max(value, 0), count - 1);

/**
 * @param {State} state
 * @param {import("../../ui/patch-picture.js").PatchPicture} picture
 * @param {import("./actions.js").Actions} actions
 */
export function createPatches(state, picture, actions) {
  /** Where the arrows are. @type {readonly [number, number]} */
  let at = [0, 0];
  /** @type {readonly [number, number] | null} */
  let asked = null;
  /** @type {Patches | null} */
  let found = null;
  const title = el("h2"),
    words = el("p", { class: "inside-note" }),
    grid = el("div", {
      class: "inside-tiles near",
      role: "group",
      "aria-label": "Similar patches",
    });

  /** @param {number} row @param {number} col */
  async function find(row, col) {
    const { shown, chosen } = state;
    if (!shown || chosen === null) return;
    const mine = (asked = at = /** @type {const} */ ([row, col])),
      still = () => asked === mine && state.chosen === chosen && state.shown === shown;
    picture.mark(row, col, true);
    title.textContent = `Patches most like the one in row ${row}, column ${col}`;
    words.textContent = "Looking …";
    const query = { row, column: col, k: FOUND };
    try {
      const patches = await shown.data.settle("patches", { query, picture: chosen, still });
      if (!patches) return;
      found = patches;
      const { searched, words: limit } = patches.facts;
      words.textContent =
        limit || `Of ${searched} pictures, by cosine similarity in the last layer.`;
      fillPatches(grid, patches, shown, actions.pick);
    } catch (error) {
      if (still()) words.textContent = sentenceOf(error);
    }
  }

  function forget() {
    const [h, w] = state.shown?.gallery.facts.grid ?? [1, 1];
    at = [Math.floor(h / 2), Math.floor(w / 2)];
    asked = found = null;
    picture.mark(null, null);
    title.textContent = "Patches like one of its own";
    words.textContent = "Click a place in the picture above.";
    grid.replaceChildren();
  }

  /** @param {KeyboardEvent} event */
  function key(event) {
    const move = MOVES[event.key];
    if (move) {
      const [h, w] = picture.grid;
      at = [within(at[0] + move[0], h), within(at[1] + move[1], w)];
      picture.mark(...at, false);
    } else if (event.key === "Enter") void find(...at);
    else if (event.key === "Escape") forget();
    else return;
    event.preventDefault();
  }

  return {
    nodes: [title, words, grid],
    find,
    forget,
    key,
    get at() {
      return at;
    },
    /** What is found, as tests read it. */
    get state() {
      const patches = found;
      return {
        patch: asked,
        patches:
          patches &&
          [...patches.indices].map((index, n) => [
            index,
            patches.rows[n],
            patches.columns[n],
            patches.similarities[n],
          ]),
      };
    },
  };
}

/**
 * The pictures in which they are, each with its patch framed.
 *
 * @param {HTMLElement} grid
 * @param {Patches} patches
 * @param {import("./state.js").Shown} shown
 * @param {(index: number) => void} onchoose
 */
function fillPatches(grid, { indices, rows, columns, similarities }, shown, onchoose) {
  const { gallery, names, thumbnails } = shown,
    [h, w] = gallery.facts.grid;
  const tiles = [...indices].map((index, n) => ({
    index,
    title: `${names.of(index)}, row ${rows[n]}, column ${columns[n]}`,
    words: similarities[n].toFixed(3),
  }));
  fillTiles(grid, thumbnails, tiles, { onchoose }).forEach((button, n) => {
    const place = `left:${(100 * columns[n]) / w}%;top:${(100 * rows[n]) / h}%`;
    const size = `width:${100 / w}%;height:${100 / h}%`;
    button.firstElementChild?.append(el("i", { class: "patch", style: `${place};${size}` }));
  });
}
