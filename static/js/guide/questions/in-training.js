/* Questions about training: crops, masks, losses, schedules; computed from the scenes that the screens
   show, with whatever was chosen there. */
import { keptNow } from "../../page/link.js";
import { fetchScene, sceneUrl } from "../../page/scenes.js";
import { linkedOptions } from "../../screens/crops/options.js";
import { best, GLOBALS, maskedPlaces } from "../../screens/losses/arithmetic.js";
import { nats, uniformLoss } from "../../screens/losses/format.js";
import { FIRST_PAIR } from "../../screens/losses/state.js";
import { paintRgb } from "../../ui/canvas.js";
import { el } from "../../ui/dom.js";
import { spaced } from "../../ui/format.js";
import { among, away, ordinal, rankOf } from "./distance.js";
import { slideTask } from "./on-picture.js";

/** @typedef {import("../../types/page").View} View */
/** @typedef {import("../../types/scenes").losses.LossesScene} LossesScene */
/** @typedef {import("./kinds.js").Task} Task */
/** @typedef {import("./kinds.js").Patch} Patch */

/** What a screen says it shows. @template T @param {string} name @returns {T} */
function shown(name) {
  const root = document.querySelector(`[data-view="${name}"]`);
  return /** @type {T} */ (/** @type {HTMLElement} */ (root).inside);
}

/** The losses with the heads, targets and temperatures that are chosen. @param {View} view */
function lossesOf({ key, seed }) {
  /** @type {Record<string, string | number>} */
  const query = { seed, pair: keptNow("pair") ?? FIRST_PAIR };
  const chosen = { targets: "targets", temperature: "hot", student_temperature: "soft" };
  for (const [name, kept] of Object.entries(chosen)) {
    const value = keptNow(kept);
    if (value !== null) query[name] = value;
  }
  return /** @type {Promise<LossesScene>} */ (fetchScene(sceneUrl(key, "losses", query)));
}

/** A crop, small. @param {Uint8Array} pixels @param {number} size */
function small(pixels, size) {
  const canvas = el("canvas", { class: "inside-small" });
  paintRgb(canvas, pixels, size, size);
  return canvas;
}

/** Index of the smallest value. @param {readonly number[]} values */
const least = (values) => best(values.map((value) => -value));

/** @type {Record<string, (view: View) => Promise<Task>>} */
export const IN_TRAINING = {
  async "least-shared-crop"({ key, seed }) {
    const query = { seed, blur: keptNow("blur") ?? "as run", ...linkedOptions(keptNow) };
    /** @type {import("../../types/scenes").crops.CropsScene} */
    const scene = await fetchScene(sceneUrl(key, "crops", query));
    const { crops } = scene.facts,
      locals = crops.flatMap(({ kind }, i) => (kind === "local" ? [i] : [])),
      shares = locals.map((i) => scene.overlaps[i * crops.length]);
    const truth = least(shares);
    return {
      kind: "choose",
      options: locals.map((i, value) => ({
        value,
        label: `Local ${value}`,
        picture: small(scene[`pixels.${i}`], crops[i].size),
      })),
      truth,
      tell: (said) =>
        among(said, truth, {
          label: (value) => `local ${value}`,
          measure: (value) => `${shares[value].toFixed(0)} % of it inside`,
          rank: `the ${ordinal(rankOf(shares, said, false))} least of ${shares.length}`,
        }),
    };
  },

  async "hidden-neighbours"({ key, seed }) {
    /** @type {{ ratio: number, member: number | null }} */
    const { ratio, member } = shown("masks");
    /** @type {import("../../types/scenes").masks.MasksScene} */
    const { facts } = await fetchScene(sceneUrl(key, "masks", { seed, ratio }));
    const { neighbours } = member === null ? facts : facts.batch_masks[member];
    return slideTask({
      label: "Visible neighbours",
      low: 0,
      high: 4,
      step: 0.1,
      format: (value) => value.toFixed(2),
      truth: neighbours[0],
    });
  },

  async "costliest-crop"(view) {
    const scene = await lossesOf(view),
      { crops } = scene.facts;
    const costs = crops.map((_, student) => (student ? scene.dino[student * GLOBALS] : 0));
    const truth = best(costs),
      all = costs.slice(1);
    return {
      kind: "choose",
      options: crops
        .map(({ name, size }, value) => ({
          value,
          label: name,
          picture: small(scene[`pixels.${value}`], size),
        }))
        .slice(1),
      truth,
      tell: (said) =>
        among(said, truth, {
          label: (value) => crops[value].name,
          measure: (value) => nats(costs[value]),
          rank: `the ${ordinal(rankOf(all, said - 1, true))} dearest of ${all.length}`,
        }),
    };
  },

  async "uniform-loss"(view) {
    const { uniform } = (await lossesOf(view)).facts;
    return slideTask({
      label: "DINO loss",
      low: 0,
      high: 15,
      step: 0.05,
      format: nats,
      truth: uniform.dino_global + uniform.dino_local,
    });
  },

  async "costliest-patch"(view) {
    const scene = await lossesOf(view),
      { grid, crops } = scene.facts,
      [h, w] = grid,
      places = maskedPlaces(scene.mask),
      place = places[best(scene.ibot)];
    const truth = /** @type {Patch} */ ([Math.floor(place / w), place % w]);
    return {
      kind: "point",
      on: ".inside-losses .inside-picture",
      url: hiddenIn(scene),
      grid: [h, w],
      size: [crops[0].size, crops[0].size],
      truth,
      tell: (said) =>
        away(said, truth, ([row, col]) => {
          const at = places.indexOf(row * w + col);
          return at < 0 ? "visible, so nothing is asked there" : nats(scene.ibot[at]);
        }),
    };
  },

  async "nearest-sample"(view) {
    const { references } = (await lossesOf(view)).facts,
      distances = references.map((one) => one.distances[0]),
      truth = least(distances);
    return {
      kind: "choose",
      options: references.map(({ file, title }, value) => ({
        value,
        label: title,
        picture: el("img", {
          class: "inside-small",
          alt: "",
          src: `inside/samples/thumbs/${file}`,
        }),
      })),
      truth,
      tell: (said) =>
        among(said, truth, {
          label: (value) => references[value].title,
          measure: (value) => `distance ${distances[value].toFixed(2)}`,
          rank: `the ${ordinal(rankOf(distances, said, false))} nearest of ${distances.length}`,
        }),
    };
  },

  async "target-entropy"(view) {
    const scene = await lossesOf(view);
    return slideTask({
      label: "Entropy",
      low: 0,
      high: Number(uniformLoss(scene, 0).toFixed(2)),
      step: 0.05,
      format: nats,
      truth: scene.teacher_entropy[0],
    });
  },

  async "teacher-memory"() {
    /** @type {{ momentum: number }} */
    const { momentum } = shown("update");
    return slideTask({
      label: "Students",
      low: 1,
      high: 500,
      step: 1,
      format: (value) => `${Math.round(value)} students`,
      truth: 1 / Math.max(1 - momentum, 1e-9),
    });
  },

  async "learning-peak"() {
    /** @type {{ address: string }} */
    const { address } = shown("update");
    /** @type {import("../../types/scenes").update.ScheduleScene} */
    const scene = await fetchScene(address);
    const { total } = scene.facts;
    return slideTask({
      label: "Step",
      low: 0,
      high: total,
      step: Math.max(1, Math.round(total / 200)),
      format: (value) => `step ${spaced(Math.round(value))}`,
      difference: (value) => `${spaced(Math.round(value))} steps`,
      truth: scene.steps[best(scene.learning_rate)],
    });
  },
};

/**
 * Global crop 0 as the student sees it: nothing says what a hidden patch costs.
 *
 * @param {LossesScene} scene
 */
function hiddenIn(scene) {
  const { size } = scene.facts.crops[0],
    [h, w] = scene.facts.grid,
    canvas = small(scene["pixels.0"], size),
    pen = canvas.getContext("2d");
  if (!pen) return canvas.toDataURL();
  pen.fillStyle = "rgb(99 101 158)"; // as on the screen of masks
  for (const place of maskedPlaces(scene.mask)) {
    const x = ((place % w) * size) / w,
      y = (Math.floor(place / w) * size) / h;
    pen.globalAlpha = 0.72;
    pen.fillRect(x, y, size / w, size / h);
  }
  return canvas.toDataURL();
}
