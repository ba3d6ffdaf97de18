/* One answer of a classifier taken apart: classes, what the patches add, the nearest pictures. */
import { paintMap, paintRgb } from "../../ui/canvas.js";
import { el } from "../../ui/dom.js";
import { percent, signed } from "../../ui/format.js";
import { legend } from "../../ui/legend.js";
import { PatchPicture } from "../../ui/patch-picture.js";
import { tableRow } from "../../ui/table.js";
import { shareOf, shares } from "./shares.js";

/** @typedef {import("../../types/scenes").predicting.PredictScene} PredictScene */

const NO_PATCHES =
  "The head reads the class token alone: no patch adds to a score by itself, only through attention.";
const NEAREST = "By the cosine of what the classifier is given, among the run's own pictures.";

/** The elements of an answer; what changes in them is named. */
function createParts() {
  const title = el("b"),
    words = el("span", { "aria-live": "polite" }),
    scale = el("div"),
    bars = el("div", { class: "inside-classes", role: "group", "aria-label": "Likeliest classes" }),
    sum = el("tbody"),
    near = el("div", { class: "inside-thumbs" }),
    nearWords = el("p", { class: "inside-note" });
  /** @param {HTMLElement} picture */
  const lay = (picture) =>
    el(
      "div",
      { class: "inside-stack" },
      el(
        "div",
        { class: "inside-try-columns" },
        el("figure", {}, picture, el("figcaption", {}, title, words, scale)),
        el(
          "div",
          { class: "inside-stack" },
          bars,
          el("h2", { text: "What its score is made of" }),
          el("table", { class: "inside-table" }, sum),
        ),
      ),
      el("h2", { text: "Nearest training pictures" }),
      nearWords,
      near,
    );
  return { lay, title, words, scale, bars, sum, near, nearWords };
}

export function createAnswer() {
  const parts = createParts(),
    pixels = el("canvas");
  /** @type {PredictScene | null} */
  let scene = null;
  let chosen = 0, // among the likeliest classes
    /** @type {[number, number]} */
    patch = [0, 0];
  const picture = new PatchPicture({
    label: "What each patch adds to the score of the chosen class. Arrows move the patch.",
    from: () => patch,
    onpin: (row, col) => {
      patch = [row, col];
      point();
    },
    describe: (row, col) => (scene?.facts.by_patches ? shareOf(scene, chosen, row, col) : null),
  });

  function point() {
    if (!scene) return;
    const { by_patches: read } = scene.facts;
    if (read) picture.mark(...patch, true);
    parts.words.textContent = read ? shareOf(scene, chosen, ...patch) : NO_PATCHES;
  }

  function paint() {
    if (!scene) return;
    const { grid, classes, bias, logits, class_token: cls, by_patches: read } = scene.facts,
      { values, most, total } = shares(scene, chosen);
    paintMap(picture.overlay, values, { grid, low: -most, high: most, colours: "blue-red" });
    picture.overlay.hidden = parts.scale.hidden = !read;
    parts.title.textContent = read ? `What each patch adds to ${classes[chosen]}` : "The picture";
    parts.scale.replaceChildren(legend("blue-red", signed(-most, 3), signed(most, 3)));
    const patches = read ? [tableRow(`${values.length} patches`, signed(total, 3))] : [];
    parts.sum.replaceChildren(
      tableRow("bias", signed(bias[chosen], 3)),
      tableRow("class token", signed(cls[chosen], 3)),
      ...patches,
      tableRow("score (logit)", signed(logits[chosen], 3)),
    );
    for (const [i, button] of [...parts.bars.children].entries())
      button.setAttribute("aria-pressed", String(i === chosen));
    point();
  }

  /** @param {PredictScene["facts"]} facts @param {number} i */
  const bar = ({ classes, probabilities }, i) =>
    el(
      "button",
      {
        type: "button",
        onclick: () => {
          chosen = i;
          paint();
        },
      },
      el("b", { text: classes[i] }),
      el("span", { text: percent(probabilities[i]) }),
      el("i", { style: `width:${100 * probabilities[i]}%` }),
    );

  return {
    node: parts.lay(picture.node),
    /** @param {PredictScene} next @param {string} run */
    draw(next, run) {
      [scene, chosen] = [next, 0];
      const { facts, shapes } = next,
        [h, w] = facts.grid,
        [height, width] = shapes.picture;
      patch = [Math.floor(h / 2), Math.floor(w / 2)];
      paintRgb(pixels, next.picture, height, width);
      picture.show(pixels.toDataURL(), facts.grid, [width, height]);
      parts.bars.replaceChildren(...facts.classes.map((_, i) => bar(facts, i)));
      parts.nearWords.textContent = facts.without || NEAREST;
      parts.near.replaceChildren(...facts.nearest.map((one) => neighbour(one, run)));
      paint();
    },
  };
}

/** @param {PredictScene["facts"]["nearest"][number]} one @param {string} run */
const neighbour = ({ index, label, cosine }, run) =>
  el(
    "figure",
    {},
    el("img", { src: `runs/${run}/training/${index}.jpg`, alt: label, loading: "lazy" }),
    el(
      "figcaption",
      {},
      el("b", { text: label }),
      el("span", { text: `cosine ${signed(cosine)}` }),
    ),
  );
