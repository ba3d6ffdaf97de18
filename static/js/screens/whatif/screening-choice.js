/* Over which pictures heads and blocks are screened: the open one, the samples, or some of a gallery. */
import { pick } from "../../ui/controls.js";
import { el } from "../../ui/dom.js";
import { SAMPLES } from "./references.js";

/** @typedef {import("./state.js").State} State */
/** @typedef {import("./state.js").Over} Over */

const COUNTS = [8, 16, 32, 64]; // pictures of a gallery

/** As the link has it: "NAME 16"; nothing: the open picture. @param {string | null} word @returns {Over} */
export function overFromLink(word) {
  const [name = "", most] = (word ?? "").split(" "),
    count = Number(most);
  return { name, most: COUNTS.includes(count) ? count : COUNTS[0] };
}

/** @param {Over} over */
export const overInLink = ({ name, most }) => (name ? `${name} ${most}` : null);

/**
 * The set that is asked for, as far as this visitor has it; the open picture otherwise.
 *
 * @param {Pick<State, "around" | "over">} state
 * @returns {Over}
 */
export function overOf({ around, over }) {
  const known = around?.references.some(([name]) => name === over.name);
  return known || !around ? over : { ...over, name: "" };
}

/**
 * "8 samples", "at most 16 pictures of Holiday": what a screening of several is over.
 *
 * @param {Pick<State, "around" | "over">} state
 * @param {number} count
 */
export function overWords(state, count) {
  const { name } = overOf(state);
  if (!name) return "this picture";
  if (name === SAMPLES) return `${count} samples`;
  const title = state.around?.references.find(([one]) => one === name)?.[1] ?? name;
  return `${count} pictures of ${title}`;
}

/**
 * @param {State} state
 * @param {(change: Partial<State>) => void} update
 */
export function createScreeningChoice(state, update) {
  const change = (/** @type {Partial<Over>} */ next) =>
    update({ over: { ...state.over, ...next }, effects: null, screening: null });
  const over = pick("Over", [["", "this picture"]], "", (name) => change({ name })),
    most = pick(
      "at most",
      COUNTS.map((count) => /** @type {const} */ ([count, `${count} pictures`])),
      COUNTS[0],
      (count) => change({ most: Number(count) }),
    );
  let filled = "";
  return {
    node: el("div", { class: "inside-controls" }, over.node, most.node),
    draw() {
      const now = overOf(state);
      const choices = (state.around?.references ?? []).map(
        ([name, title, count]) =>
          /** @type {const} */ ([name, name === SAMPLES ? `the samples (${count})` : title]),
      );
      const text = JSON.stringify(choices);
      if (text !== filled) over.fill([["", "this picture"], ...choices], now.name);
      filled = text;
      over.set(now.name);
      most.set(now.most);
      most.node.hidden = !now.name || now.name === SAMPLES;
    },
  };
}
