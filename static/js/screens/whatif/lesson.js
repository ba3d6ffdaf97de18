/* The person's own numbers for the lesson. */
import { nameOf } from "./edits.js";
import { changeOf, indexOfLargest } from "./numbers.js";
import { referenceWords } from "./references.js";

/** @typedef {import("./state.js").Shown} Shown */

/** @param {import("./state.js").State} state @returns {import("../../page/lesson.js").LessonNumbers} */
export function lessonOf(state) {
  const { shown } = state;
  if (!shown?.texts.length) return { changes: "", zero: "", sum: "", layer: "" };
  const { scene, texts } = shown,
    change = changeOf(scene),
    most = indexOfLargest(change),
    [, w] = scene.facts.grid;
  return {
    changes: texts.map(nameOf).join("; "),
    reference: referenceWords(state, shown.reference),
    cls: (1 - scene.facts.cls_cosine).toFixed(3),
    patches: (1 - scene.facts.patch_cosine_mean).toFixed(3),
    layer: scene.facts.layer,
    place: `row ${Math.floor(most / w)}, column ${most % w}`,
    most: change[most].toFixed(3),
    ...fourValues(shown),
    ...together(shown),
  };
}

/** Zero against the values that a forward may have. @param {Shown} shown */
function fourValues({ four }) {
  const effect = (/** @type {string} */ kind) => {
    const found = four.find(([one]) => one === kind);
    return found ? (1 - found[1].facts.cls_cosine).toFixed(3) : "";
  };
  return {
    zero: effect("zero"),
    mean: effect("mean"),
    noise: effect("noise"),
    other: effect("other"),
  };
}

/**
 * Whether what each does alone adds up.
 *
 * @param {Shown} shown
 * @returns {import("../../page/lesson.js").LessonNumbers}
 */
function together({ alone, scene }) {
  if (!alone.length) return { sum: "" };
  return {
    alone: alone.map((effect) => effect.toFixed(3)).join(", "),
    sum: alone.reduce((total, effect) => total + effect, 0).toFixed(3),
    both: (1 - scene.facts.cls_cosine).toFixed(3),
  };
}
