/* The same step by another pair, beside the one that is looked at: two checkpoints before and after. */
import { fetchScene } from "../../page/scenes.js";
import { pick } from "../../ui/controls.js";
import { el } from "../../ui/dom.js";
import { percent, short, signed } from "../../ui/format.js";
import { tableHead, tableRow } from "../../ui/table.js";
import { lossesOf, sceneOf } from "./state.js";
import { TERMS } from "./tables.js";

/** @typedef {import("./state.js").State} State */
/** @typedef {import("./state.js").StepScene} StepScene */

const NONE = /** @type {const} */ (["", "no other pair"]);
const WORDS =
  "The same pictures, seed and choices, each pair with crops of its own sizes and its own " +
  "prototypes, by its own learning rate and temperature where none was chosen. With other ln K " +
  "the losses stand at other heights: what can be compared is how far they fall.";

/** The pairs that the one that is looked at can stand beside. @param {State} state */
const choicesOf = ({ pairs, options }) => pairs.filter(({ name }) => name !== options.pair);

/** The pair that is asked for, as far as it is there. @param {State} state */
export const otherOf = (state) =>
  choicesOf(state).some(({ name }) => name === state.other) ? state.other : "";

/**
 * Asks for the step that is looked at, by the other pair that is chosen.
 *
 * @param {State} state
 * @param {import("./state.js").Update} update
 * @param {ReturnType<typeof import("./loading.js").createLoading>["addressOf"]} addressOf
 */
export async function loadBeside(state, update, addressOf) {
  const { view, options, beside } = state,
    [scene, pair] = [sceneOf(state), otherOf(state)];
  if (!view || !scene || !pair || (beside?.of === scene && beside.pair === pair)) return;
  const address = addressOf(view, { ...options, pair }, scene.facts.number),
    asked = /** @type {Promise<StepScene>} */ (fetchScene(address));
  const found = await asked.catch((error) => {
    if (otherOf(state) === pair) update({ other: "" }); // it cannot be had
    throw error;
  });
  if (sceneOf(state) === scene && otherOf(state) === pair)
    update({ beside: { of: scene, pair, scene: found } });
}

/** @param {(other: string) => unknown} onchoose */
export function createOtherPair(onchoose) {
  const choice = pick("The same step by", [NONE], "", onchoose),
    body = el("div", { class: "inside-scroll" }),
    note = el("p", { class: "inside-quiet", role: "status" });
  let filled = "";
  /** @type {State["beside"]} */
  let drawn = null;
  return {
    node: el("section", { class: "inside-stack inside-other-pair" }, choice.node, body, note),
    /** @param {State} state */
    draw(state) {
      const choices = choicesOf(state),
        text = JSON.stringify(choices);
      if (text !== filled)
        choice.fill(
          [NONE, ...choices.map(({ name, title }) => /** @type {const} */ ([name, title]))],
          otherOf(state),
        );
      filled = text;
      choice.set(otherOf(state));
      choice.node.hidden = !choices.length;
      const wanted = otherOf(state),
        beside = wanted ? state.beside : null,
        isThere = beside?.of === sceneOf(state) && beside.pair === wanted;
      note.hidden = !wanted;
      note.textContent = isThere ? WORDS : "The same step is being made by the other pair.";
      body.setAttribute("aria-busy", String(wanted !== "" && !isThere));
      body.hidden = !beside;
      if (!beside || beside === drawn) return;
      drawn = beside;
      body.replaceChildren(tableOf([beside.of, beside.scene]));
    },
  };
}

/** A column for each pair. @param {readonly StepScene[]} scenes */
const tableOf = (scenes) =>
  el(
    "table",
    { class: "inside-table" },
    tableHead("", ...scenes.map(({ facts }) => facts.title)),
    el("tbody", {}, ...rowsOf(scenes).map(([name, ...cells]) => tableRow(name, ...cells))),
  );

/**
 * Names of rows and what stands in them: before → after of each loss, and what a step depends on.
 *
 * @param {readonly StepScene[]} scenes
 * @returns {string[][]}
 */
export function rowsOf(scenes) {
  const facts = scenes.map((scene) => scene.facts),
    terms = Object.keys(TERMS).filter((term) => facts.some(({ before }) => term in before));
  const both = (/** @type {number} */ before, /** @type {number} */ after) =>
    `${signed(before, 3)} → ${signed(after, 3)}`;
  return [
    ...terms.map((term) => [
      TERMS[term],
      ...facts.map(({ before, after }) =>
        term in before ? both(before[term], after[term]) : "not asked",
      ),
    ]),
    [
      "Together",
      ...scenes.map((scene) => {
        const { before, after } = lossesOf(scene),
          share = (after - before) / Math.abs(before || 1);
        return `${both(before, after)} (${share < 0 ? "−" : "+"}${percent(Math.abs(share))})`;
      }),
    ],
    ["ln K of class tokens", ...facts.map(({ prototypes: [k] }) => Math.log(k).toFixed(3))],
    ["Learning rate", ...facts.map(({ values }) => short(values.learning_rate))],
    ["Teacher temperature", ...facts.map(({ values }) => values.teacher_temperature.toFixed(3))],
    ["Gradient of the backbone", ...facts.map(({ norms }) => short(norms.backbone))],
  ];
}
