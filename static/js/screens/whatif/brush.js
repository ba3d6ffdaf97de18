/* The picture that is painted on: pointer, finger or keys choose the patches of a change. */
import { sceneUrl } from "../../page/scenes.js";
import { select, selectedPatch, selection } from "../../page/selection.js";
import { penOf } from "../../ui/dom.js";
import { rafThrottle } from "../../ui/frame.js";
import { keyHints, keysSentence } from "../../ui/key-hints.js";
import { MOVES, PatchPicture } from "../../ui/patch-picture.js";
import { parse, patchesOf } from "./edits.js";
import { brushed, createStrokes } from "./strokes.js";

/** @typedef {import("./state.js").State} State */

/** @type {import("../../ui/key-hints.js").KeyHints} */
const KEYS = [
  ["arrows", "move"],
  ["Space", "paints a patch, or wipes it"],
  ["Shift + arrows", "paint"],
  ["[ ]", "layer"],
  ["Ctrl Z", "undoes"],
];
const SCALE = 8; // canvas pixels a patch: the lines between patches stay sharp
const COLOURS = {
  patches: "rgb(52 54 112 / 0.78)", // as what is masked
  who: "rgb(255 224 102 / 0.66)",
  whom: "rgb(99 102 241 / 0.66)",
};

/**
 * @param {State} state
 * @param {(change: Partial<State>) => void} update
 * @param {import("./state.js").Editing} editing
 */
export function createBrush(state, update, editing) {
  let isShift = false;
  const picture = new PatchPicture({
    label: `Picture in patches, to be painted on. ${keysSentence(KEYS)}.`,
    from: selectedPatch,
    onhover: rafThrottle((row, col) => update({ hovered: [row, col] })),
    onleave: rafThrottle(() => update({ hovered: null })),
    onpin(row, col) {
      state.hovered = null; // the keys are about the patch that they have moved to
      select({ row, col });
      if (isShift) strokes.dab([row, col], true);
    },
    onkey: (key) => pressKey(key, state, strokes),
  });
  const drawMarks = () => mark(picture.overlay, state, strokes.held());
  const strokes = createStrokes(state, update, editing, drawMarks);
  picture.node.classList.add("inside-brush");
  followPointer(picture, strokes);
  picture.node.addEventListener(
    "keydown",
    (event) => {
      isShift = event.shiftKey && event.key in MOVES;
      const [row, col] = selectedPatch();
      if (isShift && row !== null && col !== null) strokes.dab([row, col], true);
    },
    true,
  );
  picture.node.addEventListener("keyup", () => (isShift = false));

  return {
    node: picture.node,
    keys: keyHints(KEYS),
    draw() {
      const { view, hovered } = state;
      if (!view) return;
      picture.show(sceneUrl(view.key, "input.jpg"), view.grid, view.input_size);
      drawMarks();
      const [row, col] = hovered ?? selectedPatch();
      picture.mark(row, col, hovered === null);
    },
  };
}

/** @param {PatchPicture} picture @param {ReturnType<typeof createStrokes>} strokes */
function followPointer(picture, strokes) {
  const { node } = picture;
  node.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    node.setPointerCapture(event.pointerId);
    strokes.begin(picture.patchUnder(event));
  });
  node.addEventListener("pointermove", (event) => strokes.goOn(picture.patchUnder(event)));
  node.addEventListener("pointerup", strokes.end);
  node.addEventListener("pointercancel", strokes.forget);
}

/**
 * True where the key has been used.
 *
 * @param {string} key
 * @param {State} state
 * @param {ReturnType<typeof createStrokes>} strokes
 */
function pressKey(key, { view, hovered }, strokes) {
  const step = { "[": -1, "]": 1 }[key],
    last = (view?.layers ?? 1) - 1,
    [row, col] = hovered ?? selectedPatch();
  if (step) select({ layer: Math.min(Math.max((selection.layer ?? last) + step, 0), last) });
  else if ((key === " " || key === "Enter") && row !== null && col !== null)
    strokes.dab([row, col]);
  else return false;
  return true;
}

/**
 * Which patches are changed, and who and whom are chosen.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {State} state
 * @param {ReadonlySet<number> | null} held by the stroke that goes on
 */
function mark(canvas, state, held) {
  const { view, brush } = state;
  if (!view) return;
  const [h, w] = view.grid;
  canvas.width = w * SCALE;
  canvas.height = h * SCALE;
  const pen = penOf(canvas);
  /** @param {import("./state.js").Brush} name @param {Iterable<number>} patches */
  const fill = (name, patches) => {
    pen.fillStyle = COLOURS[name];
    for (const index of (brush === name && held) || patches)
      pen.fillRect((index % w) * SCALE, Math.floor(index / w) * SCALE, SCALE - 0.5, SCALE - 0.5);
  };
  fill("patches", changedPatches(state, -1));
  if (brush === "patches" && held) fillOthers();
  fill("who", state.who);
  fill("whom", state.whom);

  /** What other changes hold while the brush's own is being painted. */
  function fillOthers() {
    pen.fillStyle = COLOURS.patches;
    for (const index of changedPatches(state, brushed(state)))
      if (!held?.has(index))
        pen.fillRect((index % w) * SCALE, Math.floor(index / w) * SCALE, SCALE - 0.5, SCALE - 0.5);
  }
}

/**
 * The patches that changes name.
 *
 * @param {State} state
 * @param {number} but the place of one that is left out
 */
function changedPatches({ view, edits }, but) {
  /** @type {Set<number>} */
  const found = new Set();
  edits.forEach(({ on, text }, i) => {
    const change = parse(text);
    if (!view || !on || i === but || change?.site !== "tokens" || change.who === null) return;
    for (const one of patchesOf(change.who, view.grid)) found.add(one);
  });
  return found;
}
