/* The picture with the attention of the query on it, its legend, and a sentence on where it goes. */
import { select, selectedPatch, selection } from "../../page/selection.js";
import { flatten, paintMap } from "../../ui/canvas.js";
import { el } from "../../ui/dom.js";
import { percent } from "../../ui/format.js";
import { rafThrottle, throttle } from "../../ui/frame.js";
import { keyHints, keysSentence } from "../../ui/key-hints.js";
import { legend } from "../../ui/legend.js";
import { maximum, sum } from "../../ui/numbers.js";
import { PatchPicture } from "../../ui/patch-picture.js";
import { sceneUrl } from "../../page/scenes.js";
import { firstPatch } from "./attend.js";
import { createTargetMark } from "./ends.js";
import { queryName, queryOf, shownRow } from "./state.js";

/** @typedef {import("./state.js").State} State */
/** @typedef {State & { scene: import("./state.js").LayerScene }} Loaded */

/** @type {import("../../ui/key-hints.js").KeyHints} */
const KEYS = [
  ["arrows", "move the patch"],
  ["Enter", "keeps it"],
  ["C", "class token"],
  ["[ ]", "layer"],
  ["0 to 9", "head"],
  ["M", "mean of the heads"],
];
const ROLLOUT =
  "Rollout of the class token: heads averaged, each block counted half as attention and half " +
  "as the residual that passes it by, all layers multiplied.";

/**
 * @param {State} state
 * @param {(change: Partial<State>) => void} update
 */
export function createPicture(state, update) {
  const picture = new PatchPicture({
    label: `Picture in patches. ${keysSentence(KEYS)}.`,
    from: () => (state.ends && state.target) || selectedPatch(),
    onhover: rafThrottle((row, col) => {
      if (!state.ends) update({ hovered: [row, col] });
      else if (!state.held) update({ target: [row, col] });
    }),
    onleave: rafThrottle(() => state.hovered && update({ hovered: null })),
    onpin: (row, col) => {
      if (state.ends) return holdTarget(state, update, [row, col]);
      state.hovered = null;
      select({ row, col });
    },
    onkey: (key) => letGo(key, state, update) || pressKey(key, state),
    describe: (row, col) => toItself(state, row, col),
  });
  const markTarget = createTargetMark(picture);
  const caption = el("p", { class: "inside-details", "aria-live": "polite" });
  const legendPlace = el("div");
  const node = el("div", { class: "inside-stack" }, picture.node, legendPlace, caption);

  let legendText = "";
  const showLegend = (/** @type {number} */ high) => {
    const text = percent(high, 2);
    if (text === legendText) return;
    legendText = text;
    legendPlace.replaceChildren(legend("magma", "0", text));
  };
  const describe = throttle((/** @type {string} */ words, /** @type {number} */ high) => {
    caption.textContent = words;
    showLegend(high);
  });

  return {
    node,
    keys: keyHints(KEYS),
    png: () => flatten(picture.picture, picture.overlay, state.strength),

    /** Another picture. @param {import("./state.js").View} view */
    open(view) {
      picture.show(sceneUrl(view.key, "input.jpg"), view.grid, view.input_size);
    },

    /** @param {Loaded} loaded */
    draw(loaded) {
      const query = queryOf(loaded),
        { grid } = loaded.scene.facts,
        P = grid[0] * grid[1];
      picture.overlay.style.opacity = String(loaded.strength);
      if (loaded.rolled && loaded.rollout) {
        const high = maximum(loaded.rollout.rollout, 0, P);
        paintMap(picture.overlay, loaded.rollout.rollout, { grid, high });
        picture.mark(null, null);
        describe.now(ROLLOUT, high);
        return;
      }
      markTarget(loaded.ends ? loaded.target : null);
      const [map, offset] = shownRow(loaded),
        high = maximum(map, offset, P);
      paintMap(picture.overlay, map, { grid, offset, high });
      picture.mark(query.row, query.col, query.kept);
      (query.kept ? describe.now : describe)(whereItGoes(loaded), high);
    },
  };
}

/**
 * Where the query's attention goes, in a sentence.
 *
 * @param {Loaded} state
 */
function whereItGoes(state) {
  const { scene } = state,
    { layer, registers, grid } = scene.facts,
    [map, offset] = shownRow(state),
    first = firstPatch(scene);
  const name = queryName(queryOf(state)),
    heads = scene.shapes.keys[0];
  const which = selection.head === null ? `mean of ${heads} heads` : `head ${selection.head}`;
  const toRegisters = registers
    ? `, ${percent(sum(map, offset - registers, registers))} to the registers`
    : "";
  return (
    `${name[0].toUpperCase()}${name.slice(1)}, layer ${layer}, ${which}: ` +
    `${percent(sum(map, offset, grid[0] * grid[1]))} goes to the patches, ` +
    `${percent(map[offset - first])} to the class token${toRegisters}.`
  );
}

/**
 * The words beside the pointer.
 *
 * @param {State} state
 * @param {number} row
 * @param {number} col
 */
function toItself(state, row, col) {
  if (!state.scene) return null;
  const [map, offset] = shownRow(/** @type {Loaded} */ (state));
  const share = percent(map[offset + row * state.scene.facts.grid[1] + col], 2);
  return `row ${row}, column ${col}\n${state.ends ? "gets" : "attends to itself:"} ${share}`;
}

/**
 * A click or an arrow keeps the target there; a click on the one that is kept lets it go.
 *
 * @param {State} state
 * @param {(change: Partial<State>) => void} update
 * @param {[number, number]} target
 */
function holdTarget(state, update, target) {
  const again = state.held && state.target?.join() === target.join();
  update({ target, held: !again, back: null });
}

/**
 * Escape lets go of the target first. True where it was that.
 *
 * @param {string} key
 * @param {State} state
 * @param {(change: Partial<State>) => void} update
 */
function letGo(key, state, update) {
  if (key !== "Escape" || !state.ends || !state.target) return false;
  update({ held: false, target: null, back: null });
  return true;
}

/**
 * True where the key has been used.
 *
 * @param {string} key
 * @param {State} state
 */
function pressKey(key, { view, hovered }) {
  if (!view) return false;
  const step = { "[": -1, "]": 1 }[key];
  if (["c", "C", "Escape"].includes(key)) select({ row: null, col: null });
  else if (key === "Enter" && hovered) select({ row: hovered[0], col: hovered[1] });
  else if (step) select({ layer: within((selection.layer ?? 0) + step, view.layers) });
  else if (/^\d$/.test(key) && Number(key) < view.heads) select({ head: Number(key) });
  else if (key === "m" || key === "M") select({ head: null });
  else return false;
  return true;
}

/** @param {number} layer @param {number} count */
const within = (layer, count) => Math.min(Math.max(layer, 0), count - 1);
