/* The right side: what the line that is looked at holds, drawn, and in numbers. */
import { chartPlace, plot } from "../../charts/plot.js";
import { el } from "../../ui/dom.js";
import { crossEntropies, prototypeRows } from "./answers.js";
import { companions, cropRow, GLOBALS, ibotMaps } from "./crops.js";
import { drawingOf, visitAt } from "./state.js";
import { clipTable, cosineTable, koleoTable, lossBars } from "./tables.js";
import { createValues } from "./values.js";
import { WORDS } from "./words.js";

/** @typedef {import("./state.js").StepScene} StepScene */
/** @typedef {import("./state.js").Drawing} View */

const CHARTS = /** @type {const} */ (["after", "gradients", "shares", "moved"]);

export function createDetail() {
  const where = el("p", { class: "inside-note inside-where" }),
    title = el("h2"),
    words = el("p", { class: "inside-details", "aria-live": "polite" }),
    drawn = el("div", { class: "inside-stack inside-drawn" }),
    values = createValues();
  const places = Object.fromEntries(CHARTS.map((name) => [name, chartPlace()]));
  /** @type {Partial<Record<View, HTMLElement>>} */
  let views = {};
  /** @type {View | null} */
  let shown = null;

  return {
    node: el(
      "div",
      { class: "inside-left" },
      where,
      title,
      words,
      drawn,
      el("h2", { text: "What the line leaves behind" }),
      values.node,
    ),

    /** Another step. */
    build() {
      views = {};
      shown = null;
    },

    /** @param {import("../../types/plotly").Charts} charts */
    plot(charts) {
      for (const name of CHARTS) void plot(places[name], charts[name]);
    },

    /** @param {StepScene} scene @param {number} at */
    draw(scene, at) {
      const visit = visitAt(scene, at),
        source = scene.facts.functions[visit.function];
      where.textContent = `${source.file}, line ${visit.first}, in ${source.name}`;
      values.draw(visit);
      if (visit.view === shown) return;
      shown = drawingOf(visit);
      title.textContent = WORDS[shown].title;
      words.textContent = WORDS[shown].words(scene);
      drawn.replaceChildren((views[shown] ??= VIEWS[shown](scene, places)));
    },
  };
}

/** @type {Record<View, (scene: StepScene, places: Record<string, HTMLElement>) => HTMLElement>} */
const VIEWS = {
  batch: (scene) =>
    el(
      "div",
      { class: "inside-stack" },
      cropRow(scene, { count: scene.facts.crops.length, masked: true }),
      companions(scene),
    ),
  teacher_sees: (scene) => cropRow(scene, { count: GLOBALS, masked: false }),
  teacher: (scene) => prototypeRows(scene, { values: scene.teacher, logits: true }),
  targets: (scene) => prototypeRows(scene, { values: scene.targets, logits: false }),
  student_sees: (scene) => cropRow(scene, { count: scene.facts.crops.length, masked: true }),
  student: (scene) => prototypeRows(scene, { values: scene.student, logits: false }),
  dino: crossEntropies,
  koleo: koleoTable,
  ibot: ibotMaps,
  losses: lossBars,
  gradients: (scene, { gradients, shares }) =>
    el("div", { class: "inside-stack" }, gradients, shares, cosineTable(scene)),
  clipping: clipTable,
  student_moved: (_, { moved }) => el("div", {}, moved),
  teacher_moved: (_, { moved }) => el("div", {}, moved),
  after: (_, { after }) => el("div", {}, after),
};
