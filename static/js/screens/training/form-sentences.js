/* What the form says about what is filled in. Nothing here touches the page. */
import { plural } from "../../ui/format.js";

/** @typedef {import("../../types/runs").Preset} Preset */
/** @typedef {import("../../types/runs").Upload} Upload */

/**
 * @typedef {object} Filled what the words depend on
 * @property {import("../../types/runs").RunKind} kind
 * @property {Upload | null} zip null: the samples
 * @property {Preset | undefined} preset undefined until the server has said what there is
 * @property {import("../../types/runs").Recipe} recipe of a distillation
 * @property {boolean} busy a zip is on its way, or the run is being started
 */

const CLASSES = 6; // that are named
const SAMPLES =
  "The samples that come with the project: enough to see the machinery turn, too few to learn from.";
const TO_TEACH =
  "The samples that come with the project, each in many crops: a small student sees them as its " +
  "frozen teacher does within two minutes. It learns these pictures, not more.";
const RECIPES = {
  features:
    "Class and patch tokens follow the teacher's, through linear maps: quick, under any teacher.",
  paper:
    "As ViT-S, B and L were distilled: by the losses of training, under the teacher's heads. It " +
    "wants a teacher with heads (the preview has some, and so has a checkpoint of a run without " +
    "labels) and with patches of the student's size; and many pictures, and time.",
};
const HOW_TO_LABEL =
  "A folder for each class in the zip, such as cats/1.jpg and dogs/1.jpg; or train/ and test/ around them.";

/** @param {Upload} zip */
export const classesOf = (zip) => Object.keys(zip.classes);

/**
 * What a run can learn from, for the list: the samples, the visitor's galleries, the zip that was
 * sent here.
 *
 * @param {import("../../types/runs").RunKind} kind
 * @param {readonly import("../../types/runs").GalleryZip[]} galleries
 * @param {Upload | null} sent
 * @returns {[value: string, text: string][]}
 */
export function sourcesOf(kind, galleries, sent) {
  return [
    ["", kind === "fine-tuning" ? "None yet: labels are needed" : "The samples"],
    ...(sent ? [/** @type {[string, string]} */ ([sent.token, sent.name])] : []),
    ...galleries.map(
      ({ name, title, pictures }) =>
        /** @type {[string, string]} */ ([name, `${title}, of Many pictures (${pictures})`]),
    ),
  ];
}

/** How a student is taught. @param {import("../../types/runs").Recipe} recipe */
export const recipeSentence = (recipe) => RECIPES[recipe];

/** The pictures a run would learn from. @param {Pick<Filled, "kind" | "zip" | "recipe">} filled */
export function picturesSentence({ kind, zip, recipe }) {
  const taught = recipe === "features" ? TO_TEACH : SAMPLES;
  if (!zip)
    return { pretraining: SAMPLES, "fine-tuning": HOW_TO_LABEL, distillation: taught }[kind];
  const names = classesOf(zip),
    counts = names.slice(0, CLASSES).map((name) => `${name} ${zip.classes[name]}`);
  if (names.length > CLASSES) counts.push("…");
  const labels = names.length
    ? `in ${plural(names.length, "class", "classes")}: ${counts.join(", ")}`
    : "without labels";
  const pictures = plural(zip.pictures, "picture", "pictures");
  return `${zip.name}: ${pictures}${names.length ? " " : ", "}${labels}.`;
}

/**
 * What of a zip is not used, and how its folders were understood: first how many, then sentences.
 *
 * @param {Upload | null} zip
 * @returns {string[]}
 */
export function leftOutSentences(zip) {
  if (!zip) return [];
  const count = zip.left_out ? [`Not used: ${plural(zip.left_out, "file", "files")}.`] : [];
  return [...count, ...zip.notes];
}

/** @param {Preset | undefined} preset */
export function presetSentence(preset) {
  if (!preset) return "";
  const { name, words, fits } = preset;
  return fits
    ? `${name}: ${words}.`
    : `Too large for this machine: ${words}. Start it from the command line where the GPUs are.`;
}

/**
 * Why a run cannot be started now; empty when it can.
 *
 * @param {Filled} filled
 */
export function whyNotStart({ kind, zip, preset, busy }) {
  if (busy) return "One moment.";
  if (kind !== "fine-tuning") {
    if (!preset) return "The server has not said yet what can be started.";
    return preset.fits ? "" : `The preset ${preset.name} needs GPUs: choose another one.`;
  }
  if (!zip)
    return "Choose or upload a zip first: a folder for each class says what is in its pictures.";
  const classes = classesOf(zip).length;
  if (classes > 1) return "";
  return classes
    ? "The zip has a single class: there is nothing to tell apart. Put a folder for each class into it."
    : "The zip has no labels: put the pictures of each class into a folder of their own.";
}

/**
 * What is switched after a click; a switch takes the place of those that it excludes.
 *
 * @param {readonly string[]} chosen
 * @param {string} name
 * @param {boolean} on
 * @param {readonly import("../../types/runs").Experiment[]} offered
 * @returns {string[]} in the order in which they are offered
 */
export function withSwitch(chosen, name, on, offered) {
  const excluded = offered.find((one) => one.name === name)?.excludes ?? [];
  const kept = new Set(chosen.filter((one) => one !== name && !(on && excluded.includes(one))));
  if (on) kept.add(name);
  return offered.map((one) => one.name).filter((one) => kept.has(one));
}

/**
 * The title of the switches, which says what is switched also while they are folded away.
 *
 * @param {readonly string[]} chosen
 * @param {readonly import("../../types/runs").Experiment[]} offered
 */
export function experimentsSentence(chosen, offered) {
  const titles = offered.filter(({ name }) => chosen.includes(name)).map(({ title }) => title);
  return titles.length ? `Experiment: ${titles.join(", ")}` : "Experiment";
}
