/* Colour maps. The tables come from Python, so that there is one for pictures drawn there and here. */
import { settings } from "../settings.js";

/** @typedef {import("../settings.js").Rgb} Rgb */

/** @type {Map<string, Uint8Array>} */
const tables = new Map();

/**
 * The colours of a map as bytes [256 * 3].
 *
 * @param {string} name
 */
export function colourTable(name) {
  const known = tables.get(name) ?? Uint8Array.from(settings.colours[name].flat());
  tables.set(name, known);
  return known;
}

/**
 * A map as a gradient of CSS, low at the left.
 *
 * @param {string} name
 */
export function gradient(name) {
  const stops = settings.colours[name].filter((_, i) => i % 15 === 0);
  return `linear-gradient(to right, ${stops.map((stop) => `rgb(${stop})`).join(", ")})`;
}

/**
 * Relative luminance of WCAG 2: 0 black, 1 white.
 *
 * @param {readonly number[]} rgb bytes
 */
export function luminance(rgb) {
  const [r, g, b] = rgb.map((byte) =>
    byte / 255 <= 0.04045 ? byte / 255 / 12.92 : ((byte / 255 + 0.055) / 1.055) ** 2.4,
  );
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** Contrast of WCAG 2 between two colours: 1 to 21. @param {Rgb} one @param {Rgb} other */
export function contrast(one, other) {
  const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
}

/** Black or white, whichever is easier to read on a colour. @param {readonly number[]} rgb */
export const inkOn = (rgb) => (luminance(rgb) > 0.179 ? "#000" : "#fff");
