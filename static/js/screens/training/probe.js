/* The arithmetic of a checkpoint's pictures, and whose colours they have. */
import { percent } from "../../ui/format.js";
import { nameOfMoment } from "./format.js";

/** @typedef {import("../../types/runs").Line} Line */
/** @typedef {import("../../types/scenes").probes.ProbeScene} ProbeScene */

/**
 * The class token's attention of one picture: of a head, or of their mean (null). [h * w]
 *
 * @param {ProbeScene} scene
 * @param {number} picture
 * @param {number | null} head
 */
export function attentionOf(scene, picture, head) {
  const { grid, heads } = scene.facts,
    P = grid[0] * grid[1],
    from = picture * heads * P;
  if (head !== null) return scene.attention.subarray(from + head * P, from + (head + 1) * P);
  const mean = new Float32Array(P);
  for (let a = 0; a < heads; a++)
    for (let p = 0; p < P; p++) mean[p] += scene.attention[from + a * P + p] / heads;
  return mean;
}

/**
 * Over how many places values are spread: the exponential of their entropy once they sum to 1.
 *
 * @param {ArrayLike<number>} values not negative
 */
export function spreadOf(values) {
  let total = 0,
    entropy = 0;
  for (let i = 0; i < values.length; i++) total += values[i];
  for (let i = 0; i < values.length; i++)
    if (values[i] > 0) entropy -= (values[i] / total) * Math.log(values[i] / total);
  return Math.exp(entropy);
}

/**
 * The part of an array [n, ...] that belongs to one picture.
 *
 * @template {Uint8Array | Float32Array} Values
 * @param {Values} values
 * @param {number} picture
 * @param {number} size of each
 * @returns {Values}
 */
export const partOf = (values, picture, size) =>
  /** @type {Values} */ (values.subarray(picture * size, (picture + 1) * size));

/**
 * Which moment a run that goes on has reached. The last one of a distillation is its teacher, to
 * compare with.
 *
 * @param {readonly string[]} moments
 */
export const newestOf = (moments) =>
  Math.max(moments.length - (moments.at(-1) === "teacher" ? 2 : 1), 0);

/**
 * @typedef {object} Told a run, as far as its pictures are concerned
 * @property {string} name
 * @property {string} title
 * @property {string[]} moments at which the chosen pictures were looked at
 * @property {number} mended times
 */

/** The steps among moments, in their order, each once. @param {readonly string[]} moments */
export const stepsOf = (moments) =>
  [
    ...new Set(
      moments
        .filter((moment) => moment.startsWith("step-"))
        .map((moment) => Number(moment.slice("step-".length))),
    ),
  ].sort((a, b) => a - b);

/**
 * What a run had reached by a step: its newest moment up to it, or its first one.
 *
 * @param {readonly string[]} moments
 * @param {number} step
 */
export function momentAt(moments, step) {
  const own = moments.filter((moment) => moment.startsWith("step-"));
  return own.findLast((moment) => Number(moment.slice("step-".length)) <= step) ?? own[0];
}

/** Whose colours all are shown in: the last checkpoint of the first run. @param {readonly Told[]} runs */
export const homeOf = ([{ name, moments, mended }]) => ({
  name,
  mended,
  moment: momentAt(moments, Infinity),
});

/** The pictures that all of several runs follow. @param {readonly ProbeScene[]} scenes */
export const namesInAll = ([first, ...others]) =>
  (first?.facts.names ?? []).filter((name) =>
    others.every(({ facts }) => facts.names.includes(name)),
  );

/**
 * k-NN over pieces at a moment; "" where it was not measured.
 *
 * @param {readonly Line[]} lines of the run
 * @param {string} moment
 */
export function recognisedSentence(lines, moment) {
  const measured = lines.filter((line) => line.piece_knn),
    step = stepsOf([moment])[0],
    line = moment === "teacher" ? measured.at(-1) : measured.findLast((one) => one.step === step);
  const share = moment === "teacher" ? line?.piece_knn?.teacher : line?.piece_knn?.cls;
  if (!line?.piece_knn || share === undefined || share === null) return "";
  const { pictures, chance } = line.piece_knn;
  return (
    `By k-NN over pieces, the class token tells from which of ${pictures} pictures a piece is ` +
    `for ${percent(share / 100)} of them, where chance is ${percent(chance / 100)}.`
  );
}

/**
 * What the colours of a PCA mean.
 *
 * @param {Pick<ProbeScene["facts"], "moment" | "home">} facts
 * @param {boolean} taught a student in the colours of its teacher
 */
export function coloursSentence({ moment, home }, taught) {
  if (taught && moment === "teacher") return "the teacher's PCA of what it says itself";
  if (taught) return "the teacher's PCA of what the student says: one meaning a colour throughout";
  if (!home) return "a PCA of this checkpoint alone: an older run, whose colours cannot be aligned";
  return home === moment
    ? "its own PCA, whose colours all other checkpoints have"
    : `turned onto the colours of ${nameOfMoment(home)} (orthogonal Procrustes)`;
}
