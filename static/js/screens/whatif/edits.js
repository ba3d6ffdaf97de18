/* Changes inside the model in words, SITE=VALUE, as dino_core/whatif/words.py reads them; and the
   arithmetic of patches that are named in them. No page is needed here. */

/** @typedef {"zero" | "mean" | "noise" | "other"} Kind what is to stand at a place */
/** @typedef {{ text: string, on: boolean }} Edit a change, and whether it holds */

/**
 * @typedef {object} Parsed
 * @property {string} site
 * @property {number | null} first block; null: at the input
 * @property {number | null} last block
 * @property {number | null} unit head or hidden unit; null: all of them
 * @property {string | null} who tokens in brackets, or who does not see; null: all of them
 * @property {string | null} whom is not seen, of a knockout
 * @property {string} value as it is written
 */

/** @type {readonly (readonly [Kind, string])[]} */
export const KINDS = [
  ["mean", "Mean"],
  ["zero", "Zero"],
  ["noise", "Noise"],
  ["other", "Another picture"],
];

const PLACE = /^([a-z]+)(?::(\d{1,4})(?:-(\d{1,4}))?(?:\.(\d{1,6}))?)?(?:\[([^\]]*)\])?$/;

/**
 * A change taken apart; null for what cannot be one. Whether there is such a place is for `fits`, and
 * in the end for the server, to say.
 *
 * @param {string} text
 * @returns {Parsed | null}
 */
export function parse(text) {
  const at = text.indexOf("="),
    match = PLACE.exec(text.slice(0, Math.max(at, 0)).trim());
  if (at < 0 || !match) return null;
  const value = text.slice(at + 1).trim(),
    number = (/** @type {string | undefined} */ part) => (part === undefined ? null : Number(part)),
    [who, whom] = value.split("!");
  return {
    site: match[1],
    first: number(match[2]),
    last: number(match[3] ?? match[2]),
    unit: number(match[4]),
    who: whom === undefined ? (match[5] ?? null) : who.trim(),
    whom: whom === undefined ? null : whom.trim(),
    value,
  };
}

/** Whether a change's value is one of the four that stand side by side. @param {string} value */
export const isKind = (value) => KINDS.some(([kind]) => kind === value);

/** A change with another value. @param {string} text @param {string} value */
export const withValue = (text, value) => `${text.slice(0, text.indexOf("="))}=${value}`;

/** Where a change is, without its value. @param {string} text */
export const placeOf = (text) => text.slice(0, Math.max(text.indexOf("="), 0));

/**
 * Whether a model and picture have the place of a change, as far as the page can say.
 *
 * @param {string} text
 * @param {{ grid: readonly [number, number], layers: number, heads: number, registers: number }} view
 */
export function fits(text, { grid, layers, heads, registers }) {
  const change = parse(text);
  if (!change) return false;
  const { site, last, unit, who, whom } = change;
  if (site === "registers") return registers > 0;
  if (last !== null && last >= layers) return false;
  if (unit !== null && site !== "neuron" && unit >= heads) return false;
  return [who, whom].every((tokens) => tokens === null || areThere(tokens, grid, registers));
}

/** @param {string} who @param {readonly [number, number]} grid @param {number} registers */
function areThere(who, [h, w], registers) {
  return who.split(";").every((part) => {
    if (part === "registers") return registers > 0;
    const box = boxOf(part);
    return !box || (box[1] < h && box[3] < w);
  });
}

// ---------- patches

/**
 * "3-5,4" -> [3, 5, 4, 4]: first and last row, first and last column; null for a group.
 *
 * @param {string} part
 */
function boxOf(part) {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?\s*,\s*(\d{1,5})(?:-(\d{1,5}))?$/.exec(part.trim());
  if (!match) return null;
  const [top, left] = [Number(match[1]), Number(match[3])];
  return [top, Number(match[2] ?? top), left, Number(match[4] ?? left)];
}

/**
 * Indices of the patches that some words name, within a grid; groups other than patches are none.
 *
 * @param {string | null} who null: all tokens
 * @param {readonly [number, number]} grid
 * @returns {Set<number>}
 */
export function patchesOf(who, [h, w]) {
  /** @type {Set<number>} */
  const found = new Set();
  for (const part of (who ?? "patches").split(";")) {
    const box = part.trim() === "patches" ? [0, h - 1, 0, w - 1] : boxOf(part);
    if (!box) continue;
    for (let row = box[0]; row <= Math.min(box[1], h - 1); row++)
      for (let col = box[2]; col <= Math.min(box[3], w - 1); col++) found.add(row * w + col);
  }
  return found;
}

/**
 * Patches in words, neighbours in a row and equal rows below each other as one: "3-5,4-9;8,2".
 *
 * @param {Iterable<number>} patches indices
 * @param {readonly [number, number]} grid
 */
export function whoText(patches, [, w]) {
  const sorted = [...patches].sort((a, b) => a - b);
  /** @type {[top: number, bottom: number, left: number, right: number][]} */
  const boxes = [];
  for (let at = 0; at < sorted.length;) {
    const row = Math.floor(sorted[at] / w),
      left = sorted[at] % w;
    let right = left;
    while (right + 1 < w && sorted[at + right + 1 - left] === row * w + right + 1) right++;
    at += right - left + 1;
    const above = boxes.find((box) => box[1] === row - 1 && box[2] === left && box[3] === right);
    if (above) above[1] = row;
    else boxes.push([row, row, left, right]);
  }
  const span = (/** @type {number} */ a, /** @type {number} */ b) =>
    a === b ? `${a}` : `${a}-${b}`;
  return boxes.map(([a, b, c, d]) => `${span(a, b)},${span(c, d)}`).join(";");
}

/**
 * The patches on the straight way from one to another, both included: a fast pointer skips some.
 *
 * @param {readonly [number, number]} from row and column
 * @param {readonly [number, number]} to
 * @returns {[number, number][]}
 */
export function wayBetween([r0, c0], [r1, c1]) {
  const steps = Math.max(Math.abs(r1 - r0), Math.abs(c1 - c0), 1);
  return Array.from({ length: steps + 1 }, (_, i) => [
    Math.round(r0 + ((r1 - r0) * i) / steps),
    Math.round(c0 + ((c1 - c0) * i) / steps),
  ]);
}

// ---------- words

/** @type {Record<string, string>} */
const VALUES = {
  zero: "zero",
  mean: "its mean",
  noise: "noise",
  other: "another picture’s",
  own: "its own",
  out: "left out",
};

/** A change as a person says it. @param {string} text */
export function nameOf(text) {
  const change = parse(text);
  if (!change) return text;
  const value = VALUES[change.value] ?? change.value;
  if (change.whom !== null)
    return `${headOf(change)}${blocksOf(change)}: ${tokensOf(change.who)} ⇥ ${tokensOf(change.whom)}`;
  return `${siteOf(change)} → ${value}`;
}

/** @param {Parsed} change */
function siteOf(change) {
  const { site, unit, who } = change,
    among = who === null ? "" : `, ${tokensOf(who)}`;
  if (site === "registers") return "Registers";
  if (site === "positions") return `Positions${among}`;
  const where = blocksOf(change).toLowerCase();
  if (site === "tokens") return `${capitalOf(tokensOf(who))} entering ${where}`;
  if (site === "scores") return `Scores of ${headOf(change).toLowerCase()}${where}${among}`;
  if (site === "neuron" && unit !== null) return `Unit ${unit} of ${where}${among}`;
  if (site === "head") return `${headOf(change) || "All heads, "}${where}${among}`;
  const names = { attention: "Attention", mlp: "MLP", neuron: "Hidden units" };
  return `${names[/** @type {keyof typeof names} */ (site)] ?? site}, ${where}${among}`;
}

/** @param {Parsed} change */
const headOf = ({ unit }) => (unit === null ? "" : `Head ${unit}, `);

/** @param {Parsed} change */
const blocksOf = ({ first, last }) =>
  first === last ? `Block ${first}` : `Blocks ${first} to ${last}`;

/** @param {string | null} who */
export function tokensOf(who) {
  if (who === null) return "all tokens";
  const names = { cls: "class token", registers: "registers", patches: "all patches" };
  const groups = who.split(";").flatMap((part) => {
    const name = names[/** @type {keyof typeof names} */ (part.trim())];
    return name ? [name] : [];
  });
  const count = who.split(";").reduce((total, part) => {
    const box = boxOf(part);
    return total + (box ? (box[1] - box[0] + 1) * (box[3] - box[2] + 1) : 0);
  }, 0);
  if (count) groups.push(count === 1 ? "1 patch" : `${count} patches`);
  return groups.join(" and ");
}

const capitalOf = (/** @type {string} */ text) => text.charAt(0).toUpperCase() + text.slice(1);

// ---------- the link

const BETWEEN = "*"; // stands in no change
const OFF = "!"; // before a change that does not hold

/** All changes as one word of the link; null: none. @param {readonly Edit[]} edits */
export const editsInLink = (edits) =>
  edits.length ? edits.map(({ text, on }) => `${on ? "" : OFF}${text}`).join(BETWEEN) : null;

const MOST = 64; // changes, as in a request

/** And back; what is no change is left out. @param {string | null} word @returns {Edit[]} */
export const editsFromLink = (word) =>
  (word ?? "")
    .split(BETWEEN)
    .map((one) => ({ text: one.replace(/^!/, ""), on: !one.startsWith(OFF) }))
    .filter(({ text }) => parse(text))
    .slice(0, MOST);
