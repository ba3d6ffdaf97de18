/* The stops of the path, as app/guide.py reads them, and how far somebody has come. */
import { readMemory, writeMemory } from "../../page/memory.js";
import { requestJson } from "../../page/scenes.js";

/**
 * @typedef {object} Stop
 * @property {string} name
 * @property {string} title
 * @property {string} screen
 * @property {string} part selector on the screen: what the stop is about
 * @property {string} layer "first", "last", a number, or "" for what is selected
 * @property {string} head "mean" or a number
 * @property {string} patch "class", "middle" or "corner"
 * @property {string[]} press "GROUP = VALUE" each
 * @property {string} covers selector: what would tell the answer too early
 * @property {string} asks name of a question
 * @property {"read" | "answered"} done what completes it
 * @property {string[]} before paragraphs
 * @property {string} question
 * @property {string[]} after paragraphs that wait for the answer
 */

/** @type {Promise<Stop[]> | null} */
let asked = null;

/** @returns {Promise<Stop[]>} */
export function allStops() {
  asked ??= /** @type {Promise<Stop[]>} */ (requestJson("guide/path.json"));
  asked.catch(() => (asked = null));
  return asked;
}

/** @typedef {{ at: string, done: string[] }} Progress names of stops; `at` is "" before the first */

/** How far this browser has come. @returns {Progress} */
export function readProgress() {
  try {
    const { at = "", done = [] } = JSON.parse(readMemory("path") ?? "{}");
    return { at: String(at), done: Array.isArray(done) ? done.map(String) : [] };
  } catch {
    return { at: "", done: [] }; // damaged
  }
}

/** @param {Progress} progress */
export const writeProgress = (progress) => writeMemory("path", JSON.stringify(progress));
