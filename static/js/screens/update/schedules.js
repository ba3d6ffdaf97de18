/* The schedules as charts that share a cursor, and what they say at it in words. */
import { linkCharts } from "../../charts/cursor.js";
import { chartPlace, moveLine, plot, whenDrawn } from "../../charts/plot.js";
import { sheetOf } from "../../charts/plot-tools.js";
import { fillLesson } from "../../page/lesson.js";
import { el } from "../../ui/dom.js";
import { percent, spaced } from "../../ui/format.js";
import { rafThrottle } from "../../ui/frame.js";
import { nearestStep } from "./state.js";

/** @typedef {import("./state.js").State} State */
/** @typedef {import("./state.js").Loaded} Loaded */

export const PARTS = /** @type {const} */ ([
  "learning_rate",
  "last_layer_learning_rate",
  "weight_decay",
  "momentum",
  "teacher_temperature",
]);

/**
 * @param {State} state
 * @param {(change: Partial<State>) => void} update
 */
export function createSchedules(state, update) {
  const places = PARTS.map(() => chartPlace());
  const moveLines = rafThrottle((/** @type {number} */ step) =>
    places.forEach((place) => moveLine(place, step)),
  );
  const follow = rafThrottle((/** @type {number} */ step) => {
    if (state.scene) update({ at: nearestStep(state.scene.steps, step) });
  });
  linkCharts(places, (step) => {
    if (step !== null) follow(step); // and stays where the pointer left
  });
  return {
    node: el("div", { class: "inside-plots" }, ...places),
    async sheet() {
      await Promise.all(places.map(whenDrawn));
      return sheetOf(places, 3);
    },

    /** Other schedules, or other colours. @param {Loaded} loaded */
    open({ charts }) {
      PARTS.forEach((name, i) => void plot(places[i], charts[name]));
    },

    /** @param {Loaded} loaded */
    draw: ({ scene, at }) => moveLines(scene.steps[at]),
  };
}

/** Five digits, or a power of ten. @param {number} value */
export const exact = (value) =>
  value === 0
    ? "0"
    : Math.abs(value) < 0.01
      ? value.toExponential(3).replace("e-", "e−")
      : value.toFixed(5);

/**
 * What happens at the cursor's step, in a sentence.
 *
 * @param {Loaded} loaded
 */
export function describeStep({ scene, at }) {
  const step = scene.steps[at],
    { warmup, frozen, temperature_warmup: warm, total } = scene.facts,
    way = 1 - scene.momentum[at];
  const parts = [
    step < warmup
      ? `the learning rate climbs until step ${spaced(warmup)}`
      : "the learning rate falls along half a cosine",
    step < frozen
      ? `the prototypes stand still until step ${spaced(frozen)}`
      : "the prototypes move",
    step < warm
      ? `the teacher's temperature climbs until step ${spaced(warm)}`
      : "the teacher's temperature has reached its end",
    way > 1e-9
      ? `a step moves the teacher ${percent(way, way < 0.001 ? 4 : 2)} of the way to the student`
      : "the teacher stands still",
  ];
  return `Step ${spaced(step)} of ${spaced(total)}, counted from 0: ${parts.join("; ")}.`;
}

/** The values at the cursor, in one line. @param {Loaded} loaded */
export const valuesSentence = ({ scene, at }) =>
  [
    `learning rate ${exact(scene.learning_rate[at])}`,
    `of the prototypes ${exact(scene.last_layer_learning_rate[at])}`,
    `weight decay ${exact(scene.weight_decay[at])}`,
    `momentum ${exact(scene.momentum[at])}`,
    `teacher temperature ${exact(scene.teacher_temperature[at])}`,
  ].join(" · ");

/** The lesson's numbers. @param {Loaded} loaded */
export function fillUpdateLesson({ scene, at }) {
  const { total, peak, batch, config } = scene.facts,
    memory = 1 - scene.momentum[at];
  fillLesson("update", {
    step: spaced(scene.steps[at]),
    total: spaced(total),
    rate: exact(scene.learning_rate[at]),
    peak: exact(peak),
    batch: spaced(batch),
    base: config.base_learning_rate,
    momentum: scene.momentum[at].toFixed(5),
    memory: memory > 1e-9 ? spaced(Math.round(1 / memory)) : "endlessly many",
    temperature: scene.teacher_temperature[at].toFixed(4),
    decay: scene.weight_decay[at].toFixed(4),
  });
}
