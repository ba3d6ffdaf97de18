/* The mask in words. */
import { percent, plural } from "../../ui/format.js";
import { placeOf } from "./batch.js";
import { currentMask, patchCount, stepNow } from "./state.js";

/** @typedef {import("./state.js").Loaded} Loaded */
/** @typedef {import("./state.js").Mask} Mask */

/** 0.50 -> "0.5". */
export const trim = (/** @type {number} */ value) => value.toFixed(2).replace(/\.?0+$/, "");

/** What is asked, and how far the blocks on the picture have come. @param {Loaded} state */
export function describe(state) {
  const mask = currentMask(state),
    asked = targetSentence(state, mask),
    step = stepNow(state);
  if (mask.target === 0)
    return state.member === null
      ? `${asked} Nothing is hidden: the student sees the whole crop.`
      : `${placeOf(state.member)} of the batch stays whole: the student sees every patch, and ` +
          "the iBOT loss asks nothing.";
  if (step === 0) return `${asked} No block is drawn yet.`;
  const hidden = mask.blocks.slice(0, step).reduce((sum, block) => sum + block[4], 0),
    [, , height, width, fresh] = mask.blocks[step - 1],
    end = step === mask.blocks.length ? `, ${endSentence(state, mask)}` : ".";
  return (
    `${asked} ${step} of ${plural(mask.blocks.length, "block", "blocks")}; block ` +
    `${step - 1}: ${height} × ${width} patches, ${fresh} of them new; ${hidden} hidden ` +
    `so far${end}`
  );
}

/** @param {Loaded} state @param {Mask} mask */
function targetSentence({ scene, member }, { target }) {
  const P = patchCount(scene),
    { ratio } = scene.facts;
  if (member !== null)
    return (
      `${placeOf(member)} of the batch: ${plural(target, "patch is", "patches are")} to ` +
      `be hidden (${percent(target / P)}).`
    );
  const whole = Number.isInteger(ratio * P);
  return (
    `${percent(ratio, 0)} of ${P} patches ` +
    `${whole ? `is ${target}` : `is ${trim(ratio * P)}, cut to ${target}`}.`
  );
}

/** @param {Loaded} state @param {Mask} mask */
const endSentence = ({ scene }, { target, achieved }) =>
  achieved === target
    ? "the target is met."
    : `${target - achieved} short of the target: ${scene.facts.config.tries} tries in a row ` +
      "found no block that fits.";

/**
 * The numbers of the lesson.
 *
 * @param {Loaded} state
 * @returns {import("../../page/lesson.js").LessonNumbers}
 */
export function lessonNumbers(state) {
  const { target, achieved, blocks, rejected, neighbours } = currentMask(state),
    all = state.scene.facts.batch_masks,
    P = patchCount(state.scene);
  return {
    patches: P,
    target,
    achieved,
    share: percent(achieved / P),
    blocks: plural(blocks.length, "block", "blocks"),
    rejected: plural(rejected, "try was", "tries were"),
    near: achieved ? neighbours[0].toFixed(2) : "–",
    scattered: achieved ? neighbours[1].toFixed(2) : "–",
    weight: achieved ? `1/${achieved}` : "0",
    masked: all.filter((one) => one.target > 0).length,
    crops: all.length,
    batch: percent(all.reduce((sum, one) => sum + one.achieved, 0) / (P * all.length)),
  };
}
