/* What the guide says, from text to nodes: *emphasis*, **strong**, {screen.name} for a number of the
   visitor's own, [words](screen) for a way to a screen; and formulas with x_i and x^{2}. */
import { openScreen } from "../page/screens.js";
import { el } from "../ui/dom.js";

const INLINE = /\*\*([^*]+)\*\*|\*([^*]+)\*|\{([a-z]+\.\w+)\}|\[([^\]]+)\]\(([a-z]+)\)/g;
const SCRIPT = /([_^])(?:\{([^}]*)\}|(\S))/g;

/** @typedef {{ kind: "text" | "strong" | "emphasis" | "number", text: string }
 *   | { kind: "way", text: string, screen: string }} Piece */

/**
 * A sentence in its pieces.
 *
 * @param {string} text
 * @returns {Piece[]}
 */
export function piecesOf(text) {
  /** @type {Piece[]} */
  const pieces = [];
  let at = 0;
  for (const match of text.matchAll(INLINE)) {
    if (match.index > at) pieces.push({ kind: "text", text: text.slice(at, match.index) });
    at = match.index + match[0].length;
    const [, strong, emphasis, number, words, screen] = match;
    if (strong) pieces.push({ kind: "strong", text: strong });
    else if (emphasis) pieces.push({ kind: "emphasis", text: emphasis });
    else if (number) pieces.push({ kind: "number", text: number });
    else pieces.push({ kind: "way", text: words, screen });
  }
  if (at < text.length) pieces.push({ kind: "text", text: text.slice(at) });
  return pieces;
}

/** The numbers that a text asks for, "losses.k". @param {string} text */
export const numbersIn = (text) =>
  piecesOf(text).flatMap((piece) => (piece.kind === "number" ? [piece.text] : []));

/** @param {Piece} piece @returns {Node} */
function nodeOf(piece) {
  if (piece.kind === "strong") return el("b", { text: piece.text });
  if (piece.kind === "emphasis") return el("em", { text: piece.text });
  if (piece.kind === "number")
    return el("span", { class: "inside-live", "data-number": piece.text, text: "…" });
  if (piece.kind === "way") {
    const { text, screen } = piece;
    return el("button", {
      type: "button",
      class: "inside-way-to",
      text,
      onclick: () => openScreen(screen),
    });
  }
  return document.createTextNode(piece.text);
}

/** A paragraph. @param {string} text @param {string | null} [className] */
export const paragraph = (text, className = null) =>
  el("p", { class: className }, ...piecesOf(text).map(nodeOf));

/**
 * A formula in its pieces: [text, "" | "sub" | "sup"].
 *
 * @param {string} text
 * @returns {[string, "" | "sub" | "sup"][]}
 */
export function scriptsOf(text) {
  /** @type {[string, "" | "sub" | "sup"][]} */
  const pieces = [];
  let at = 0;
  for (const match of text.matchAll(SCRIPT)) {
    if (match.index > at) pieces.push([text.slice(at, match.index), ""]);
    at = match.index + match[0].length;
    pieces.push([match[2] ?? match[3], match[1] === "_" ? "sub" : "sup"]);
  }
  if (at < text.length) pieces.push([text.slice(at), ""]);
  return pieces;
}

/** A formula on a line of its own. @param {string} text */
export const formula = (text) =>
  el(
    "p",
    { class: "inside-formula" },
    ...scriptsOf(text).map(([part, kind]) =>
      kind ? el(kind, { text: part }) : document.createTextNode(part),
    ),
  );
