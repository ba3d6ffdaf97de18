/* The pictures that values are taken from: the samples, or a gallery of the visitor's own. */
import { pick } from "../../ui/controls.js";
import { plural } from "../../ui/format.js";

/** @typedef {import("./state.js").State} State */
/** @typedef {import("./state.js").Around} Around */

export const SAMPLES = "samples";
/** @type {Around["references"]} */
const ALONE = [[SAMPLES, "The samples", 8]];

/** What there is to choose from. @param {Pick<State, "around">} state */
const choicesOf = ({ around }) => around?.references ?? ALONE;

/**
 * The name of the set that is asked for, as far as this visitor has it.
 *
 * @param {Pick<State, "around" | "reference">} state
 */
export const referenceOf = (state) =>
  choicesOf(state).some(([name]) => name === state.reference) ? state.reference : SAMPLES;

/**
 * A set in words: "the samples (8 pictures)".
 *
 * @param {Pick<State, "around">} state
 * @param {string} reference
 */
export function referenceWords(state, reference) {
  const [name, title, count] =
    choicesOf(state).find(([one]) => one === reference) ?? choicesOf(state)[0];
  return `${name === SAMPLES ? "the samples" : title} (${plural(count, "picture", "pictures")})`;
}

/**
 * Where the values of some changes are from, in a sentence; empty where none is taken from pictures.
 *
 * @param {readonly string[]} texts
 * @param {string} words of the set
 */
export function sourceOf(texts, words) {
  const has = (/** @type {string} */ kind) => texts.some((text) => text.endsWith(`=${kind}`));
  if (has("mean") || has("noise")) return `Means and noise are those of ${words}.`;
  return has("other") ? `The other picture is one of ${words}.` : "";
}

/**
 * @param {State} state
 * @param {(change: Partial<State>) => void} update
 * @param {() => unknown} reload
 */
export function createReferences(state, update, reload) {
  const of = pick("of", [[SAMPLES, "the samples"]], SAMPLES, (reference) => {
    update({ reference, effects: null, screening: null });
    reload();
  });
  of.input.setAttribute("aria-label", "Reference pictures");
  of.input.title = "The pictures that means, noise and another picture are taken from";
  let filled = "";
  return {
    node: of.node,
    draw() {
      const choices = choicesOf(state).map(
        ([name]) => /** @type {const} */ ([name, referenceWords(state, name)]),
      );
      const text = JSON.stringify(choices);
      of.node.hidden = choices.length < 2; // the sentence beside the numbers says which there is
      if (text !== filled) of.fill(choices, referenceOf(state));
      filled = text;
      of.set(referenceOf(state));
    },
  };
}
