/* Numbers in words: one home for each way of writing them. */

/** 0.1234 -> "12.3 %". */
export const percent = (/** @type {number} */ share, digits = 1) =>
  `${(100 * share).toFixed(digits)} %`;

/** 1234567 -> "1 234 567". */
export const spaced = (/** @type {number} */ count) =>
  String(count).replace(/\B(?=(\d{3})+$)/g, " ");

/** @param {string} text "1e-5" -> "1e−5", with a true minus */
const trueMinus = (text) => text.replace("e-", "e−");

/**
 * A measured value in about four digits, whatever its size: 12 346, 123.5, 1.235, 0.123, 1.23e−5; a dash
 * where there is none.
 *
 * @param {number | null | undefined} value
 */
export function short(value) {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  const size = Math.abs(value);
  if (size === 0) return "0";
  if (size >= 1000) return spaced(Math.round(value));
  if (size >= 100) return value.toFixed(1);
  if (size >= 0.01) return value.toPrecision(size >= 1 ? 4 : 3);
  return trueMinus(value.toExponential(2));
}

/** A length in three digits: 123, 12.3, 1.23. */
export const threeDigits = (/** @type {number} */ value) =>
  value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toPrecision(3);

/** (1, "patch", "patches") -> "1 patch". */
export const plural = (
  /** @type {number} */ count,
  /** @type {string} */ one,
  /** @type {string} */ many,
) => `${count} ${count === 1 ? one : many}`;

/** Index of a patch -> "row 3, column 5". */
export const place = (
  /** @type {number} */ index,
  /** @type {readonly [number, number]} */ [, w],
) => `row ${Math.floor(index / w)}, column ${index % w}`;

/** −0.5 -> "−0.50", with a true minus. */
export const signed = (/** @type {number} */ value, digits = 2) =>
  (value < 0 ? "−" : "") + Math.abs(value).toFixed(digits);

/** "layer 3" -> "Layer 3". */
export const capital = (/** @type {string} */ text) => text[0].toUpperCase() + text.slice(1);
