/* The numbers of the open run in the lesson. */
import { fillLesson } from "../../page/lesson.js";

/** @typedef {import("../../types/runs").Line} Line */

/** @param {readonly Line[]} lines */
export function fillTrainingLesson(lines) {
  const newest = lines.findLast(({ logged }) => logged);
  fillLesson("training", {
    loss: newest
      ? lossSentence(newest)
      : "The numbers of a run without labels appear here when one is open.",
    entropy: newest ? entropySentence(lines) : "",
  });
}

/** The DINO loss beside what uniform output would have. @param {Line} line */
function lossSentence({ step, logged, uniform }) {
  const loss = sumOf(logged),
    flat = sumOf(uniform);
  return (
    `After step ${step} the DINO loss is ${loss.toFixed(4)} where uniform output would ` +
    `have ${flat.toFixed(4)}, a ratio of ${(loss / flat).toFixed(3)}.`
  );
}

/** @param {Record<string, number | null> | undefined} terms */
const sumOf = (terms) => (terms?.dino_local_crops_loss ?? 0) + (terms?.dino_global_crops_loss ?? 0);

/** @param {readonly Line[]} lines */
function entropySentence(lines) {
  const measured = lines.findLast((line) => line.measured)?.measured,
    each = measured?.teacher_entropy.dino ?? null,
    over = measured?.teacher_entropy_marginal.dino ?? null;
  if (each === null || over === null) return "";
  return `Now they are ${each.toFixed(3)} and ${over.toFixed(3)}: ${(over - each).toFixed(3)} apart.`;
}
