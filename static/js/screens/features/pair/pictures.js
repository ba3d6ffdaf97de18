/* The two pictures, and the lines between them. */
import { sceneUrl } from "../../../page/scenes.js";
import { selectedPatch } from "../../../page/selection.js";
import { paintMap, paintRgb } from "../../../ui/canvas.js";
import { el } from "../../../ui/dom.js";
import { rafThrottle } from "../../../ui/frame.js";
import { keysSentence } from "../../../ui/key-hints.js";
import { PatchPicture } from "../../../ui/patch-picture.js";
import { cellOf } from "../arithmetic.js";
import { figure, KEYS, signed, signedLegend } from "../panels.js";
import { createLines } from "./lines.js";

/** @typedef {import("./state.js").Pair} Pair */
/** @typedef {import("./state.js").LoadedPair} LoadedPair */

const TALLEST = 440; // px, of the pictures side by side

/**
 * @param {import("../state.js").Screen} screen
 * @param {(next: Partial<Pair>) => void} change
 * @param {HTMLElement} chooser stands in the place of the second picture until there is one
 */
export function createPictures(screen, change, chooser) {
  const { state } = screen,
    { left, right } = patchPictures(screen, change);
  const first = figure(left.node, "This picture", "point at a patch to ask from there"),
    secondFigure = figure(right.node, "Second picture", ""),
    lines = createLines(),
    colours = el("div", { class: "inside-legend-place" }, signedLegend());
  const host = el(
    "div",
    { class: "inside-pair inside-duo" },
    first.node,
    secondFigure.node,
    chooser,
    lines.node,
  );
  lines.place(host, left.node, right.node);
  /** @type {LoadedPair | null} */
  let drawn = null;

  /** @param {LoadedPair} loaded */
  function open(loaded) {
    const { view, second } = loaded;
    left.show(sceneUrl(view.key, "input.jpg"), view.grid, view.input_size);
    right.show(sceneUrl(second.key, "input.jpg"), second.grid, second.input_size);
    const [one, two] = [view, second].map(({ input_size: [width, height] }) => width / height);
    host.style.setProperty("--columns", `minmax(0, ${one}fr) minmax(0, ${two}fr)`); // equal heights
    host.style.setProperty("--widest", `${Math.round(TALLEST * (one + two) + 26)}px`);
    secondFigure.words.textContent = second.words ?? "";
  }

  /** @param {LoadedPair} loaded */
  function paint({ scene, joint }) {
    const { shows, strength, similar } = state.pair;
    [left, right].forEach((part, side) => {
      const grid = side ? scene.facts.second_grid : scene.facts.grid,
        colouring = side ? joint.second_colours : joint.colours,
        cosines = similar[side];
      part.overlay.style.opacity = String(shows === "picture" ? 0 : strength);
      if (shows === "colours" && colouring) paintRgb(part.overlay, colouring, ...grid);
      else if (cosines) paintMap(part.overlay, cosines, signed(grid));
    });
    colours.classList.toggle("unused", shows !== "similarity");
  }

  return {
    node: el("div", { class: "inside-stack" }, host, colours),
    drawLines: () => {
      const { loaded } = state.pair;
      if (loaded && screen.isSeen()) lines.drawAll(loaded, state.pair);
    },
    drawnLines: lines.count,
    layers: () => ({ left, right, colours: lines.colours() }),

    /** @param {Pair} pair */
    arrange({ choosing, second }) {
      host.classList.toggle("choosing", choosing);
      chooser.hidden = !choosing;
      secondFigure.node.hidden = choosing;
      lines.node.style.display = choosing ? "none" : "";
      colours.classList.toggle("asleep", !second);
      const { view } = state;
      if (view && !state.pair.loaded)
        left.show(sceneUrl(view.key, "input.jpg"), view.grid, view.input_size);
    },

    /** @param {LoadedPair} loaded @param {import("./state.js").Asked} asked */
    draw(loaded, asked) {
      const { grid, second_grid: other } = loaded.scene.facts;
      if (drawn !== loaded) open(loaded);
      paint(loaded);
      const [a, b] = asked.isFirst ? [asked.from, asked.to] : [asked.to, asked.from];
      left.mark(...cellOf(a, grid), asked.isKept);
      right.mark(...cellOf(b, other), asked.isKept);
      if (!screen.isSeen()) return;
      if (drawn !== loaded || lines.isStale(state.pair)) lines.drawAll(loaded, state.pair);
      drawn = loaded;
      lines.drawAsked(loaded, asked);
    },
  };
}

/**
 * The second picture's patch is this screen's own: the page's selection is one of the first.
 *
 * @param {import("../state.js").Screen} screen
 * @param {(next: Partial<Pair>) => void} change
 */
function patchPictures({ state, pointing }, change) {
  const left = new PatchPicture({
    from: selectedPatch,
    label: `The first picture. ${keysSentence(KEYS)}.`,
    ...pointing,
    onhover: (row, col) => {
      state.pair.pointed = null;
      pointing.onhover(row, col);
    },
  });
  const right = new PatchPicture({
    from: () => {
      const { pointed, loaded } = state.pair;
      return pointed === null || !loaded ? [null, null] : cellOf(pointed, loaded.second.grid);
    },
    label: "The second picture. Point at a patch, or move it with the arrows, to ask from there.",
    onhover: rafThrottle((row, col) => ask(row, col)),
    onleave: rafThrottle(() => change({ pointed: null })),
    onpin: (row, col) => ask(row, col),
    onkey: (key) => {
      if (key === "[" || key === "]") return pointing.onkey(key);
      if (key !== "Escape") return false;
      change({ pointed: null });
      return true;
    },
  });
  const ask = (/** @type {number} */ row, /** @type {number} */ col) => {
    const { loaded } = state.pair;
    if (loaded) change({ pointed: row * loaded.second.grid[1] + col });
  };
  return { left, right };
}
