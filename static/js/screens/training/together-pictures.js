/* Runs together: what each had made of the same picture by the same step, under one slider. */
import { sentenceOf } from "../../page/errors.js";
import { fetchScene } from "../../page/scenes.js";
import { paintMap, paintRgb } from "../../ui/canvas.js";
import { slider as createSlider } from "../../ui/controls.js";
import { el } from "../../ui/dom.js";
import { maximum } from "../../ui/numbers.js";
import { createPictureChooser } from "./choose-picture.js";
import { nameOfMoment } from "./format.js";
import { attentionOf, homeOf, momentAt, namesInAll, partOf, stepsOf } from "./probe.js";

/** @typedef {import("./probe.js").ProbeScene} ProbeScene */
/** @typedef {import("./probe.js").Told} Told */

const ABOUT =
  "Attention of the class token (last layer, mean of the heads) and PCA of the patches. The colours " +
  "of all checkpoints of all runs are turned onto those of one, by orthogonal Procrustes.";

export function createTogetherPictures() {
  /** @type {readonly Told[]} */
  let runs = [];
  /** @type {number[]} */
  let steps = [];
  let at = 0,
    picture = "",
    asked = 0;
  /** @type {{ run: Told, scene: ProbeScene }[]} */
  let shown = [];
  const slider = createSlider("By step", {
    min: 0,
    max: 0,
    format: (index) => String(steps[index] ?? ""),
    oninput: (index) => {
      at = index;
      void load();
    },
  });
  slider.node.classList.add("wide");
  const chooser = createPictureChooser((name) => {
    picture = name;
    paint();
  });
  const row = el("div", { class: "inside-side-by-side" }),
    said = el("p", { class: "inside-note", "aria-live": "polite", text: ABOUT });
  const node = el(
    "section",
    { class: "inside-stack", hidden: true },
    el("h2", { text: "The same picture in each" }),
    el("div", { class: "inside-controls" }, slider.node, chooser.node),
    row,
    said,
  );

  async function load() {
    const mine = ++asked,
      home = homeOf(runs);
    row.classList.add("inside-late");
    try {
      const found = await Promise.all(
        runs.map(async (run) => {
          const moment = momentAt(run.moments, steps[at]),
            mended = String(run.mended + home.mended), // times: the same step may have been made again
            query = new URLSearchParams({ to: home.name, at: home.moment, mended });
          /** @type {ProbeScene} */
          const scene = await fetchScene(`runs/${run.name}/probe/${moment}?${query}`);
          return { run, scene };
        }),
      );
      if (mine !== asked) return; // overtaken
      shown = found;
      said.textContent = ABOUT;
      paint();
    } catch (error) {
      if (mine === asked) said.textContent = sentenceOf(error);
    }
    row.classList.remove("inside-late");
  }

  function paint() {
    const names = namesInAll(shown.map(({ scene }) => scene));
    if (!names.includes(picture)) picture = names[0] ?? "";
    chooser.offer(names, names.indexOf(picture));
    if (!picture) said.textContent = "These runs follow no picture that all of them have.";
    row.replaceChildren(
      ...(picture ? shown.map(({ run, scene }) => column(run.title, scene, picture)) : []),
    );
  }

  return {
    node,
    /** The runs that are chosen. @param {readonly Told[]} all */
    draw(all) {
      const followed = all.filter(({ moments }) => stepsOf(moments).length);
      node.hidden = followed.length < 2;
      const text = JSON.stringify(followed);
      if (node.hidden || text === JSON.stringify(runs)) return;
      const newest = at === Math.max(steps.length - 1, 0); // follows the runs
      runs = followed;
      steps = stepsOf(runs.flatMap(({ moments }) => moments));
      at = newest ? steps.length - 1 : Math.min(at, steps.length - 1);
      slider.limit(steps.length - 1);
      slider.set(at);
      void load();
    },
  };
}

/** @param {string} title @param {ProbeScene} scene @param {string} picture */
function column(title, scene, picture) {
  const attention = el("canvas"),
    pca = el("canvas"),
    { grid, names, moment } = scene.facts,
    index = names.indexOf(picture),
    [h, w] = grid,
    map = attentionOf(scene, index, null);
  paintMap(attention, map, { grid, high: maximum(map, 0, map.length) || 1 });
  paintRgb(pca, partOf(scene.pca, index, h * w * 3), h, w);
  const of = `${title}, ${nameOfMoment(moment)}`;
  attention.setAttribute("role", "img");
  attention.setAttribute("aria-label", `Attention: ${of}`);
  pca.setAttribute("role", "img");
  pca.setAttribute("aria-label", `PCA: ${of}`);
  return el(
    "figure",
    { class: "inside-mask" },
    attention,
    pca,
    el("figcaption", {}, el("b", { text: title }), el("span", { text: nameOfMoment(moment) })),
  );
}
