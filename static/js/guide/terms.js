/* Where the terms of the glossary are in a text. Nothing here touches the page. */

/**
 * @typedef {object} Term as app/guide.py reads it
 * @property {string} name
 * @property {string[]} words how it is written, its name among them; "$\ln K$" is TeX
 * @property {string} sentence
 * @property {string} formula "" where there is none
 * @property {string} number a sentence with {screen.name} in it; "" where there is none
 * @property {string[]} screens whose lessons it is marked in; [] for all
 * @property {string} source
 */

/** @typedef {{ term: Term, index: number, length: number }} Place */

const SPECIAL = /[.*+?^${}()|[\]\\]/g;

/** The terms that are marked on a screen. @param {readonly Term[]} terms @param {string} screen */
export const termsFor = (terms, screen) =>
  terms.filter(({ screens }) => !screens.length || screens.includes(screen));

/**
 * Finds terms in a text: whole words, the longest first, so that "class token" is no "token".
 *
 * @param {readonly Term[]} terms
 * @returns {(text: string) => Place[]} in their order, none over another
 */
export function matcherOf(terms) {
  const byWord = new Map(
    terms.flatMap((term) => term.words.map((word) => [word.toLowerCase(), term])),
  );
  const words = [...byWord.keys()].sort((a, b) => b.length - a.length);
  const escaped = words.map((word) => word.replace(SPECIAL, "\\$&"));
  if (!words.length) return () => [];
  const any = new RegExp(`(?<![\\p{L}\\d-])(?:${escaped.join("|")})(?![\\p{L}\\d])`, "giu");
  return (text) =>
    [...text.matchAll(any)].map(({ 0: word, index }) => ({
      term: /** @type {Term} */ (byWord.get(word.toLowerCase())),
      index,
      length: word.length,
    }));
}

/** The term that a formula of a lesson is, by its TeX. @param {readonly Term[]} terms @param {string} tex */
export const termOfTex = (terms, tex) =>
  terms.find(({ words }) => words.includes(`$${tex}$`)) ?? null;

/**
 * A text cut at the places that come first, each term once: what is no term is a string.
 *
 * @param {string} text
 * @param {readonly Place[]} places
 * @param {Set<string>} seen names of terms that have been; grows
 * @returns {(string | { term: Term, word: string })[]}
 */
export function cutAt(text, places, seen) {
  const pieces = [];
  let at = 0;
  for (const { term, index, length } of places) {
    if (seen.has(term.name)) continue;
    seen.add(term.name);
    if (index > at) pieces.push(text.slice(at, index));
    at = index + length;
    pieces.push({ term, word: text.slice(index, at) });
  }
  if (at < text.length) pieces.push(text.slice(at));
  return pieces;
}
