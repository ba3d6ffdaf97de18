/* The link: everything that brings this state back, behind the # of the address.

   Two pure functions read and write it; below them is the live link of the page, which follows the
   bus. Python reads it once when the page arrives; until it has answered nothing is written. Another
   screen or another picture is a step that the browser's Back undoes (history.js); a patch, a layer
   or a head is not. */
import { debounce } from "../ui/frame.js";
import { bus } from "./bus.js";
import { forgetLink, selection } from "./selection.js";

/**
 * @typedef {object} LinkState
 * @property {string} [screen]
 * @property {string} [sample] file name; absent for a picture of the visitor's own
 * @property {string} [picture] the key of a picture of one's own, which opens for nobody else
 * @property {string} [model]
 * @property {number} [size] px, the short side
 * @property {number} [seed]
 * @property {number} [layer]
 * @property {number} [head]
 * @property {number} [row]
 * @property {number} [col]
 */

const TEXTS = /** @type {const} */ (["screen", "sample", "picture", "model"]);
const NUMBERS = /** @type {const} */ (["size", "seed", "layer", "head", "row", "col"]);

/**
 * What a link says. `extras`: what single screens want to find again (a ratio, a pinned crop), as
 * texts under names of their own.
 *
 * @param {string} hash with or without its #
 * @returns {{ state: LinkState, extras: Record<string, string> }}
 */
export function parseLink(hash) {
  const query = new URLSearchParams(hash.replace(/^#/, ""));
  /** @type {LinkState} */
  const state = {};
  /** @type {Record<string, string>} */
  const extras = {};
  for (const [name, text] of query) {
    const word = TEXTS.find((one) => one === name),
      number = NUMBERS.find((one) => one === name);
    if (word) state[word] ??= text;
    else if (number) state[number] ??= Number.parseInt(text, 10);
    else extras[name] ??= text;
  }
  return { state, extras };
}

/**
 * @param {{ [Name in keyof LinkState]: LinkState[Name] | null }} state what is null, missing
 *   or empty is left out
 * @param {Record<string, string>} extras
 * @returns {string} with its #
 */
export function formatLink(state, extras) {
  const query = new URLSearchParams();
  for (const name of [...TEXTS, ...NUMBERS]) {
    const value = state[name];
    if (value !== null && value !== undefined && value !== "") query.set(name, String(value));
  }
  for (const [name, value] of Object.entries(extras)) query.set(name, value);
  return `#${query}`;
}

// ---------- the page's own link

/** What the link said when the page was opened. */
export const opening = parseLink(globalThis.location?.hash ?? "");

const extras = { ...opening.extras };
/** @type {LinkState} */
const state = {};
let answered = false;

/** What the link said under a screen's own name when the page was opened. */
export const kept = (/** @type {string} */ name) => opening.extras[name] ?? null;

/** What the link says under that name now. */
export const keptNow = (/** @type {string} */ name) => extras[name] ?? null;

/**
 * Puts something of a screen's own into the link; null takes it out.
 *
 * @param {string} name
 * @param {string | number | null | undefined} value
 */
export function keep(name, value) {
  if (value === null || value === undefined) delete extras[name];
  else extras[name] = String(value);
  writeLinkSoon();
}

/**
 * Writes the address now: before it is copied, and before a reload could ask for an older picture.
 *
 * @param {{ step?: boolean }} [how] step: one that Back undoes
 */
export function writeLink({ step = false } = {}) {
  if (!answered || !state.screen || isTravelling()) return; // while travelling the address is ahead
  const { layer, head, row, col } = selection;
  const text = formatLink({ ...state, layer, head, row, col }, extras);
  if (step) history.pushState(null, "", text);
  else history.replaceState(null, "", text);
}

const TRAVEL = 20000; // ms that another picture may take

/** @typedef {Pick<LinkState, "sample" | "picture" | "model" | "size">} Place a picture that is open */

/** While a step of the browser's history is taken. */
let stepping = false;
/** The picture that a step leads to, until it is shown. @type {Place | null} */
let destination = null;
/** Where earlier steps led whose pictures are still to come. @type {Place[]} */
let passed = [];
/** @type {ReturnType<typeof setTimeout> | undefined} */
let patience;

const isTravelling = () => stepping || destination !== null;

/** @param {Place} wanted */
const placeOf = ({ sample, picture, model, size }) => ({ sample, picture, model, size });

/** Whether two links open the same picture in the same way. @param {Place} one @param {Place} other */
export const isSamePlace = (one, other) =>
  /** @type {const} */ (["sample", "picture", "model", "size"]).every(
    (name) => (one[name] ?? "") === (other[name] ?? ""),
  );

/** What the page shows, or is on its way to. @returns {Readonly<LinkState>} */
export const headingFor = () => ({ ...state, ...destination });

/**
 * Goes where the browser's Back and Forward lead: what changes meanwhile is no step of its own.
 *
 * @param {() => unknown} work
 * @param {Place | null} to another picture: the step ends when that is shown
 */
export function travel(work, to) {
  if (to) {
    if (destination) passed.push(destination);
    destination = placeOf(to);
    clearTimeout(patience);
    patience = setTimeout(() => {
      land(); // it does not come: the address says again what is shown
      writeLink();
    }, TRAVEL);
  }
  stepping = true;
  try {
    work();
  } finally {
    stepping = false;
  }
}

function land() {
  clearTimeout(patience);
  destination = null;
  passed = [];
}

/** Whether a picture that has come is one that later steps have gone past. @param {Place} place */
function isPassed(place) {
  if (!destination || isSamePlace(place, destination)) return false;
  const at = passed.findIndex((one) => isSamePlace(one, place));
  if (at >= 0) passed.splice(0, at + 1);
  return at >= 0;
}

const writeLinkSoon = debounce(writeLink, 300);

/** Python has answered the page's arrival: the link has done its work, and may change. */
export function arrived() {
  answered = true;
  forgetLink();
  writeLinkSoon();
}

bus.on("selection", () => writeLinkSoon());
bus.on("screen", ({ name, before }) => {
  state.screen = name;
  if (before) writeLink({ step: true });
  else writeLinkSoon();
});
bus.on("view", ({ key, sample, model, size, seed }) => {
  const next = { sample, picture: sample ? "" : key, model, size };
  const other = Object.entries(next).some(
    ([name, value]) => state[/** @type {keyof LinkState} */ (name)] !== value,
  );
  const step = other && state.model !== undefined && !isTravelling();
  Object.assign(state, next, { seed });
  if (isPassed(next)) return;
  land();
  writeLink({ step });
});
