/* The map: every picture as a point, or as itself where there is room; its tools and how it was made. */
import { Scatter } from "../../charts/scatter.js";
import { el } from "../../ui/dom.js";
import { keyHints, keysSentence } from "../../ui/key-hints.js";
import { emptySentence, mapSentence } from "./sentences.js";
import { colourOfPictures, describePicture, isMapOld } from "./state.js";

/** @typedef {import("./state.js").State} State */
/** @typedef {import("../../charts/scatter.js").Ring} Ring */

const EDGE = 8; // px above and below the tools, which lie on the map
const FEW = 120; // pictures up to which a map begins with pictures instead of points
/** @type {import("../../ui/key-hints.js").KeyHints} */
const KEYS = [
  ["arrows", "next picture"],
  ["Enter", "shows it"],
  ["Space", "selects it"],
  ["+ −", "zoom"],
  ["0", "whole map"],
  ["Esc", "clears"],
  ["Shift + drag", "lasso"],
];
const COLOURED = /** @type {const} */ (["colour", "clusters", "predictions", "shown"]);
const MARKED = /** @type {const} */ (["chosen", "neighbours", "own", "shown"]);

/**
 * @param {State} state
 * @param {import("./actions.js").Actions} actions
 */
export function createMap(state, actions) {
  const face = el("canvas", { class: "smooth", width: 64, height: 64 });
  const scatter = new Scatter({
    className: "inside-gallery-map",
    roleDescription: "map of pictures",
    face,
    describe: (index) => {
      state.shown?.thumbnails.paint(face, index);
      return describePicture(state, index);
    },
    onpick: actions.pick,
    onselect: actions.lasso,
    onclear: () => actions.select([], ""),
    inset: () => tools.node.offsetHeight + 2 * EDGE,
  });
  const tools = createTools(scatter, state, actions);
  const note = el("p"),
    empty = el("div", { class: "inside-gallery-empty", hidden: true }, note),
    words = el("p", { class: "inside-note inside-gallery-words", "aria-live": "polite" });
  const node = el(
    "div",
    { class: "inside-left" },
    el("div", { class: "inside-gallery-stage" }, scatter.node, tools.node, empty),
    keyHints(KEYS),
    words,
  );

  /** @type {Float32Array | null} */
  let drawn = null;

  /** @param {import("./state.js").Shown} shown */
  function open({ names, thumbnails, card }) {
    const { length } = names;
    scatter.open({
      label: `${card.title}: ${length} pictures; near ones are alike. ${keysSentence(KEYS)}.`,
      thumbnails,
      pictures: length <= FEW,
    });
  }

  /** @param {import("./data.js").Points} points other ones, or more of the same */
  function place({ xy, parts }) {
    if (xy === drawn) scatter.addPoints(xy);
    else scatter.setPoints(xy, { parts });
    drawn = xy;
  }

  return {
    node,
    scatter,
    /** @param {Partial<State>} change */
    draw(change) {
      const { card, shown, points } = state;
      empty.hidden = shown !== null;
      if (!shown || !points) {
        note.textContent = card ? emptySentence(card) : "";
        return;
      }
      if (change.shown) open(change.shown);
      if ("points" in change) place(points);
      if ("named" in change) scatter.retell();
      if (COLOURED.some((key) => key in change)) scatter.setColours(colourOfPictures(state));
      if ("selection" in change) scatter.setHighlighted(highlighted(state));
      if (MARKED.some((key) => key in change)) scatter.annotate(ringsOf(state), linksOf(state));
      scatter.node.setAttribute("aria-busy", String(isMapOld(state)));
      const text = state.mapWaiting ?? mapSentence(points);
      if (words.textContent !== text) words.textContent = text;
      tools.draw();
    },
  };
}

/** @param {State} state */
function highlighted({ selection: { indices }, shown }) {
  if (!indices.length || !shown) return null;
  const mask = new Uint8Array(shown.names.length);
  for (const index of indices) mask[index] = 1;
  return mask;
}

/** @param {State} state @returns {Ring[]} */
function ringsOf({ chosen, neighbours, own }) {
  /** @type {Ring[]} */
  const rings = [...(neighbours?.indices ?? [])].map((index) => ({
    index,
    colour: "#fff",
    wider: -1,
  }));
  if (own !== null)
    rings.push({ index: own, colour: "#7dd3fc", wider: 4, dash: [4, 3], text: "your picture" });
  if (chosen !== null) rings.push({ index: chosen, colour: "#ffe066" });
  return rings;
}

/** @param {State} state @returns {[number, number][]} */
const linksOf = ({ chosen, neighbours }) =>
  chosen === null ? [] : [...(neighbours?.indices ?? [])].map((index) => [chosen, index]);

/**
 * @param {Scatter} scatter
 * @param {State} state
 * @param {import("./actions.js").Actions} actions
 */
function createTools(scatter, state, actions) {
  const tool = (
    /** @type {string} */ text,
    /** @type {string} */ title,
    /** @type {() => void} */ onclick,
  ) =>
    el("button", {
      type: "button",
      class: "inside-button",
      text,
      title,
      "aria-label": title,
      onclick,
    });
  const lasso = tool("Lasso", "Draw around pictures to select them (or drag with Shift)", () => {
    scatter.lassoing = !scatter.lassoing;
    draw();
  });
  const pictures = tool("Pictures", "Pictures instead of points, where there is room", () => {
    scatter.setPictures(!scatter.state.pictures);
    draw();
  });
  const home = tool("Your picture", "Shows the explorer's picture on this map", () => {
    if (state.own === null) return;
    scatter.reveal(state.own);
    actions.pick(state.own);
  });
  function draw() {
    lasso.setAttribute("aria-pressed", String(scatter.lassoing));
    pictures.setAttribute("aria-pressed", String(scatter.state.pictures));
    home.disabled = state.own === null;
    home.title = home.disabled
      ? "The explorer's picture is not one of these"
      : "Shows the explorer's picture on this map";
  }
  const node = el(
    "div",
    { class: "inside-gallery-tools", role: "group", "aria-label": "The map" },
    lasso,
    pictures,
    home,
    tool("−", "Further away", () => scatter.zoomAt(1 / 1.5)),
    tool("+", "Nearer", () => scatter.zoomAt(1.5)),
    tool("Whole", "The whole map", () => scatter.showWhole()),
  );
  return { node, draw };
}
