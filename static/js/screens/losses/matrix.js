/* Every student crop against every teacher view: the table of cross-entropies. */
import { keep } from "../../page/link.js";
import { paintRgb } from "../../ui/canvas.js";
import { colourTable, inkOn } from "../../ui/colours.js";
import { el } from "../../ui/dom.js";
import { keyHints } from "../../ui/key-hints.js";
import { legend } from "../../ui/legend.js";
import { GLOBALS, isCounted, neighbour, rangeOfCounted } from "./arithmetic.js";
import { nats, uniformLoss } from "./format.js";
import { shownPair } from "./state.js";

/** @typedef {import("./state.js").State} State */
/** @typedef {import("./state.js").Loaded} Loaded */
/** @typedef {import("./state.js").LossesScene} LossesScene */
/** @typedef {import("./arithmetic.js").CropPair} CropPair */
/** @typedef {Map<string, HTMLButtonElement>} Buttons "student.teacher" -> its cell */

/** @type {Record<string, readonly [number, number]>} */
const MOVES = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** @type {import("../../ui/key-hints.js").KeyHints} */
const KEYS = [
  ["arrows", "move from pair to pair"],
  ["Enter", "keeps it"],
];

/** @param {(change: Partial<State>) => void} update */
export function createMatrix(update) {
  const table = el("table", {
    class: "inside-between",
    "aria-label": "Cross-entropy of every student crop against every teacher view",
  });
  const scale = el("div");
  /** @type {Buttons} */
  const buttons = new Map();

  /** @param {LossesScene} scene @param {CropPair} pair @param {readonly [number, number]} range */
  function cell(scene, pair, range) {
    if (!isCounted(pair))
      return el("td", { class: "same", title: "a crop is not compared with itself" });
    const button = createButton(scene, pair, range);
    bindButton(button, { pair, crops: scene.facts.crops.length, buttons, update });
    buttons.set(pair.join("."), button);
    return el("td", {}, button);
  }

  /** @param {LossesScene} scene */
  function build(scene) {
    const range = rangeOfCounted(scene.dino),
      students = scene.facts.crops.map((_, s) => s),
      teachers = students.slice(0, GLOBALS);
    buttons.clear();
    table.replaceChildren(
      el("caption", {
        class: "inside-note",
        text: "Columns: the student's crops. Rows: the teacher's views. G: global, L: local.",
      }),
      el(
        "thead",
        {},
        el(
          "tr",
          {},
          el("td"),
          ...students.map((s) => el("th", { scope: "col" }, thumbnail(scene, s))),
        ),
      ),
      el(
        "tbody",
        {},
        ...teachers.map((t) =>
          el(
            "tr",
            {},
            el("th", { scope: "row" }, thumbnail(scene, t)),
            ...students.map((s) => cell(scene, [s, t], range)),
          ),
        ),
      ),
    );
    const [low, high] = range.map((value) => value.toFixed(2));
    const uniform = uniformLoss(scene, 0).toFixed(2);
    scale.replaceChildren(legend("magma", low, `${high} nats; uniform: ln K = ${uniform}`));
  }

  return {
    node: el(
      "div",
      { class: "inside-stack" },
      el("div", { class: "inside-scroll" }, table),
      scale,
      keyHints(KEYS),
    ),
    build,

    /** @param {Loaded} state */
    draw(state) {
      const here = shownPair(state).join("."),
        pinned = state.pinned.join(".");
      for (const [name, button] of buttons) {
        button.setAttribute("aria-pressed", String(name === pinned));
        button.tabIndex = name === pinned ? 0 : -1; // one stop for the Tab key; arrows go on
        button.classList.toggle("here", name === here);
      }
    },
  };
}

/** @param {LossesScene} scene @param {CropPair} pair @param {readonly [number, number]} range */
function createButton(scene, [s, t], [low, high]) {
  const value = scene.dino[s * GLOBALS + t],
    background = colourAt((value - low) / Math.max(high - low, 1e-9)),
    { crops } = scene.facts;
  return el("button", {
    type: "button",
    "data-pair": `${s}.${t}`,
    style: `background: rgb(${background}); color: ${inkOn(background)}`,
    text: value.toFixed(2),
    "aria-label": `student ${crops[s].name}, teacher ${crops[t].name}: ${nats(value)}`,
  });
}

/**
 * @param {HTMLButtonElement} button
 * @param {object} place
 * @param {CropPair} place.pair
 * @param {number} place.crops
 * @param {Buttons} place.buttons
 * @param {(change: Partial<State>) => void} place.update
 */
function bindButton(button, { pair, crops, buttons, update }) {
  const point = () => update({ hovered: pair }),
    leave = () => update({ hovered: null });
  button.onpointerenter = button.onfocus = point;
  button.onpointerleave = button.onblur = leave;
  button.onclick = () => {
    keep("between", pair.join("."));
    update({ pinned: pair, hovered: pair });
  };
  button.onkeydown = (event) => {
    const move = MOVES[event.key];
    if (!move) return;
    event.preventDefault();
    buttons.get(neighbour(pair, move, crops).join("."))?.focus();
  };
}

/** A crop, its colour and its short name. @param {LossesScene} scene @param {number} crop */
function thumbnail(scene, crop) {
  const { name, kind, size } = scene.facts.crops[crop];
  const canvas = el("canvas", {
    class: "smooth",
    style: `border-color: rgb(${scene.facts.colours[crop]})`,
  });
  paintRgb(canvas, scene[`pixels.${crop}`], size, size);
  const short = kind === "global" ? `G${crop}` : `L${crop - GLOBALS}`;
  return el("span", { class: "thumbnail", title: name }, canvas, el("small", { text: short }));
}

/** @param {number} share of the range @returns {[number, number, number]} */
function colourAt(share) {
  const table = colourTable("magma"),
    at = 3 * Math.round(255 * share);
  return [table[at], table[at + 1], table[at + 2]];
}
