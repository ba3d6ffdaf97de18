/* What was decided for a crop, in words. */
import { capital, percent } from "../../ui/format.js";
import { sharedBy } from "./boxes.js";
import { patchesOf } from "./state.js";

/** @typedef {import("./state.js").Crop} Crop */
/** @typedef {Crop["operations"][number]} Operation */
/** @typedef {import("./state.js").Loaded} Loaded */

export const OPERATION_TITLES = {
  flip: "flip",
  jitter: "colour jitter",
  grey: "grey",
  blur: "blur",
  solarize: "solarise",
};

/** @param {number | undefined} value */
const twoDigits = (value = NaN) => value.toFixed(2);

/** @type {Record<Operation["name"], (operation: Operation) => string>} */
const OPERATIONS = {
  brightness: ({ factor }) => `brightness × ${twoDigits(factor)}`,
  contrast: ({ factor }) => `contrast × ${twoDigits(factor)}`,
  saturation: ({ factor }) => `saturation × ${twoDigits(factor)}`,
  hue: ({ shift = 0 }) => `hue ${shift >= 0 ? "+" : "−"}${Math.abs(360 * shift).toFixed(0)}°`,
  grey: () => "grey",
  blur: ({ sigma }) => `blur σ ${twoDigits(sigma)} px`,
  solarize: ({ threshold }) => `solarise ≥ ${threshold}`,
};

/**
 * Everything that happened after the resize, in its order.
 *
 * @param {Pick<Crop, "flipped" | "operations">} crop
 */
export const steps = ({ flipped, operations }) => [
  ...(flipped ? ["flip"] : []),
  ...operations.map((operation) => OPERATIONS[operation.name](operation)),
];

/** @param {Pick<Crop, "kind" | "index">} crop */
export const nameOf = (crop) => `${crop.kind} ${crop.index}`;

/** @param {Pick<Crop, "kind" | "index">} crop */
export const shortName = (crop) => `${crop.kind[0].toUpperCase()}${crop.index}`;

/** @param {Crop} crop @param {number} patches down and across */
export function describe(crop, patches) {
  const [x0, y0, x1, y1] = crop.box,
    after = steps(crop);
  return (
    `${capital(nameOf(crop))}: x ${x0} to ${x1}, y ${y0} to ${y1}, so ${x1 - x0} × ${y1 - y0} ` +
    `px, ${percent(crop.area_fraction)} of the picture, ` +
    `aspect ${crop.aspect.toFixed(2)}. Resized to ${crop.size} × ${crop.size} px, ${patches} × ` +
    `${patches} patches; then ${after.length ? after.join(", ") : "nothing else"}.`
  );
}

/** What stands out, in words. @param {Loaded} state */
export function describeChosen({ scene, shown, pair, hovered, pinned, complaint }) {
  const { crops, picture_size: size } = scene.facts,
    one = hovered ?? pinned;
  if (pair) {
    const [a, b] = pair,
      [smaller, union] = sharedBy(scene, pair);
    return (
      `${capital(nameOf(crops[a]))} and ${nameOf(crops[b])} share ${smaller.toFixed(1)} % ` +
      `of the smaller box; intersection over union is ${union.toFixed(1)} %.`
    );
  }
  if (one !== null) return describe(crops[one], patchesOf(scene, crops[one]));
  return (
    `${complaint}${crops.length} crops of a picture of ${size.join(" × ")} px, seed ` +
    `${shown.seed}. Point at a box or at a crop to see which is which; a click keeps it.`
  );
}

/**
 * The numbers of the lesson.
 *
 * @param {Loaded} state
 * @returns {import("../../page/lesson.js").LessonNumbers}
 */
export function lessonNumbers({ scene, shown }) {
  const { crops, picture_size: size, fired, blur } = scene.facts,
    [first] = crops,
    [x0, y0, x1, y1] = first.box,
    area = Math.round(first.area_fraction * size[0] * size[1]);
  const isInside = (/** @type {Crop} */ crop, /** @type {number} */ i) =>
    crop.kind === "local" && sharedBy(scene, [0, i])[0] > 99.95;
  return {
    picture: `${size.join(" × ")} px`,
    seed: shown.seed,
    share: percent(first.area_fraction),
    area: area.toLocaleString("en").replaceAll(",", " "),
    aspect: first.aspect.toFixed(2),
    box: `${x1 - x0} × ${y1 - y0} px`,
    blur: blur === "as run" ? "as it runs" : "as it is written",
    blurred: fired.blur.reduce((a, b) => a + b, 0),
    count: crops.length,
    inside: crops.filter(isInside).length,
    locals: crops.filter(({ kind }) => kind === "local").length,
  };
}
