/* The same picture at every checkpoint of a run: attention and PCA under a slider. */
import { sentenceOf } from "../../page/errors.js";
import { bus } from "../../page/bus.js";
import { fetchScene } from "../../page/scenes.js";
import { selection } from "../../page/selection.js";
import { paintMap, paintRgb } from "../../ui/canvas.js";
import { slider as createSlider } from "../../ui/controls.js";
import { el } from "../../ui/dom.js";
import { percent } from "../../ui/format.js";
import { legend } from "../../ui/legend.js";
import { maximum } from "../../ui/numbers.js";
import { createPictureChooser } from "./choose-picture.js";
import { nameOfMoment } from "./format.js";
import {
  attentionOf,
  coloursSentence,
  newestOf,
  partOf,
  recognisedSentence,
  spreadOf,
} from "./probe.js";

/** @typedef {import("./probe.js").ProbeScene} ProbeScene */
/** @typedef {import("./state.js").Opened} Opened */

/** @param {(moment: string) => void} onshow */
export function createCheckpoints(onshow) {
  const pictures = createPictures(),
    words = createWords();
  /** What is asked for, and the scene that is shown. */
  let run = "",
    taught = false,
    mended = 0, // times: the same step may have been made again
    moments = /** @type {string[]} */ ([]),
    at = 0,
    picture = 0,
    scene = /** @type {ProbeScene | null} */ (null);
  const slider = createSlider("Checkpoint", {
    min: 0,
    max: 0,
    format: (index) => nameOfMoment(moments[index]),
    oninput: (index) => {
      at = index;
      void load();
    },
  });
  slider.node.classList.add("wide");
  const chooser = createPictureChooser((_, i) => {
    picture = i;
    paint();
  });
  const node = el(
    "section",
    { class: "inside-time", hidden: true },
    el("h2", { text: "The same picture at each checkpoint" }),
    el("div", { class: "inside-controls" }, slider.node, chooser.node),
    pictures.node,
    words.node,
  );

  async function load() {
    const [asked, moment] = [run, moments[at]];
    if (!moment) return;
    pictures.node.classList.add("inside-late"); // still those of the checkpoint before
    try {
      /** @type {ProbeScene} */
      const next = await fetchScene(`runs/${asked}/probe/${moment}${inColours()}`);
      if (asked !== run || moment !== moments[at]) return; // overtaken
      scene = next;
      pictures.node.classList.remove("inside-late");
      paint();
      onshow(moment);
    } catch (error) {
      words.problem(sentenceOf(error));
    }
  }

  /** Every checkpoint has the colours of the last; a student has those of its teacher. */
  function inColours() {
    const home = { to: run, at: moments[newestOf(moments)], mended: String(mended) };
    return taught ? "" : `?${new URLSearchParams(home)}`;
  }

  function paint() {
    if (!scene) return;
    picture = Math.min(picture, scene.facts.names.length - 1);
    words.describe(pictures.draw(scene, picture, taught), scene.facts.moment);
    chooser.offer(scene.facts.names, picture);
  }

  bus.on("selection", ({ change }) => {
    if ("head" in change) paint();
  });

  return {
    node,

    /** @param {Opened} next */
    draw({ run: { name, kind, moments: found, history }, lines }) {
      words.follow(lines, name === run);
      if (name === run && found.join() === moments.join() && history.length === mended) return;
      const newest = name !== run || at === newestOf(moments); // follows the run
      if (name !== run) [scene, picture] = [null, 0];
      [run, moments] = [name, found];
      taught = kind === "distillation";
      mended = history.length;
      const last = Math.max(moments.length - 1, 0);
      at = newest ? newestOf(moments) : Math.min(at, last);
      node.hidden = !moments.length;
      slider.limit(last);
      slider.set(at);
      slider.input.disabled = moments.length < 2;
      void load();
    },
  };
}

/** What is drawn, and what was measured at the same moment: that may come later. */
function createWords() {
  const node = el("p", { class: "inside-note", "aria-live": "polite" });
  let drawn = "",
    moment = "",
    lines = /** @type {Opened["lines"]} */ ([]);
  function write() {
    const words = [drawn, recognisedSentence(lines, moment)].filter(Boolean).join(" ");
    if (node.textContent !== words) node.textContent = words; // or it would be read out again
  }
  return {
    node,
    /** @param {string} sentence @param {string} at the moment that is drawn */
    describe(sentence, at) {
      [drawn, moment] = [sentence, at];
      write();
    },
    /** @param {Opened["lines"]} next @param {boolean} same run as the one that is drawn */
    follow(next, same) {
      lines = next;
      if (same && drawn) write();
    },
    /** @param {string} sentence */
    problem(sentence) {
      drawn = "";
      node.textContent = sentence;
    },
  };
}

/** The picture, its attention and its PCA. */
function createPictures() {
  const input = el("canvas", { class: "smooth" }),
    attention = el("canvas"),
    pca = el("canvas"),
    scale = el("div"),
    which = el("span"),
    colours = el("span");
  const about = (/** @type {string} */ text) => el("span", { text });
  const node = el(
    "div",
    { class: "inside-three" },
    figure(input, "The picture", about("as the model sees it")),
    figure(attention, "Attention of the class token", which, scale),
    figure(pca, "PCA of the patches", colours),
  );
  return {
    node,

    /**
     * In words what is drawn.
     *
     * @param {ProbeScene} scene
     * @param {number} picture
     * @param {boolean} taught a student in the colours of its teacher
     */
    draw(scene, picture, taught) {
      colours.textContent = coloursSentence(scene.facts, taught);
      const { grid, heads, names, moment } = scene.facts,
        [h, w] = grid,
        side = scene.shapes.pictures[1];
      const head = selection.head !== null && selection.head < heads ? selection.head : null;
      const map = attentionOf(scene, picture, head),
        high = maximum(map, 0, map.length);
      paintRgb(input, partOf(scene.pictures, picture, side * side * 3), side, side);
      paintMap(attention, map, { grid, high: high || 1 });
      paintRgb(pca, partOf(scene.pca, picture, h * w * 3), h, w);
      scale.replaceChildren(legend("magma", "0", percent(high, 2)));
      which.textContent =
        head === null ? `last layer, mean of ${heads} heads` : `last layer, head ${head}`;
      return (
        `${names[picture]}, ${nameOfMoment(moment)}: the strongest patch holds ` +
        `${percent(high, 2)} of the attention, spread over ${spreadOf(map).toFixed(0)} ` +
        `of ${h * w} patches.`
      );
    },
  };
}

/** @param {HTMLCanvasElement} canvas @param {string} title @param {...HTMLElement} more */
const figure = (canvas, title, ...more) =>
  el(
    "figure",
    { class: "inside-mask" },
    canvas,
    el("figcaption", {}, el("b", { text: title }), ...more),
  );
