/* A second map of the same pictures, of another layer, other features or another model: a slider
   takes every point from where it lies in one to where it lies in the other. */
import { between as way, eased } from "../../charts/points.js";
import { sentenceOf } from "../../page/errors.js";
import { button, choice, slider } from "../../ui/controls.js";
import { el } from "../../ui/dom.js";
import { rafThrottle } from "../../ui/frame.js";
import { FEATURES, featureLabel } from "../../ui/probe-scores.js";
import { GalleryData, isWaiting } from "./data.js";
import { pairs } from "./state.js";

/** @typedef {import("./state.js").State} State */
/** @typedef {import("./state.js").Shown} Shown */

const SWING = 1100; // ms from one map to the other

/**
 * Another gallery's points in this one's order, by the names of the pictures; where one is missing
 * there, its place here.
 *
 * @param {{ names: readonly string[], xy: Float32Array }} here
 * @param {{ names: readonly string[], xy: Float32Array }} there
 */
export function matchedPoints(here, there) {
  const places = new Map(there.names.map((name, i) => [name, i])),
    xy = Float32Array.from(here.xy);
  here.names.forEach((name, i) => {
    const at = places.get(name);
    if (at !== undefined) xy.set(there.xy.subarray(2 * at, 2 * at + 2), 2 * i);
  });
  return xy;
}

export class SecondMap {
  /** @type {State["features"]} */
  features = "cls";
  layer = 0;
  share = 0;
  /** Where the points lie on the second map. @type {Float32Array | null} */
  #xy = null;
  #asked = 0;

  /**
   * @param {State} state
   * @param {import("../../charts/scatter.js").Scatter} map
   */
  constructor(state, map) {
    this.state = state;
    this.map = map;
    this.kinds = choice("Features of the second map", pairs(FEATURES), "cls", (features) => {
      this.features = features;
      void this.load();
    });
    this.layers = slider("Its layer", {
      max: 11,
      value: 0,
      oninput: rafThrottle((value) => {
        this.layer = value;
        void this.load();
      }),
    });
    this.between = slider("From the first to the second", {
      ...{ max: 1, step: 0.01, value: 0, format: shareText },
      oninput: rafThrottle((value) => {
        this.share = value;
        this.blend();
      }),
    });
    this.between.node.classList.add("wide");
    this.galleries = el("select", {
      "aria-label": "Gallery of the second map",
      onchange: () => void this.load(),
    });
    this.choose = el(
      "label",
      { class: "inside-field", hidden: true },
      el("span", { text: "Gallery" }),
      this.galleries,
    );
    this.words = el("p", { class: "inside-note", "aria-live": "polite" });
    /** @type {HTMLDetailsElement} */
    this.node = this.#layOut();
  }

  /** @returns {HTMLDetailsElement} */
  #layOut() {
    const go = button("Go there and back", () => this.swing());
    return el(
      "details",
      {
        class: "inside-more",
        ontoggle: () => this.#toggle(),
      },
      el("summary", { text: "A second map of the same pictures" }),
      el("div", { class: "inside-controls" }, this.choose, this.kinds.node, this.layers.node),
      el("div", { class: "inside-controls" }, this.between.node, go),
      this.words,
    );
  }

  #toggle() {
    if (this.node.open) void this.load();
    else this.reset();
  }

  /** @param {Partial<State>} change */
  draw(change) {
    if (change.shown) this.#open(change.shown);
    else if ("points" in change) void this.load();
  }

  /** @param {Shown} shown */
  #open({ name, gallery }) {
    this.#xy = null;
    this.share = this.layer = 0;
    this.between.set(0);
    this.layers.limit(gallery.facts.layers - 1);
    this.layers.set(0);
    const { count, large } = gallery.facts,
      alike = this.state.cards.filter(
        (card) =>
          card.name !== name && card.seen && card.pictures >= count && card.name !== "samples",
      );
    this.galleries.replaceChildren(
      el("option", { value: "", text: "this one" }),
      ...alike.map((card) =>
        el("option", { value: card.name, text: `${card.title}, ${card.model} at ${card.size} px` }),
      ),
    );
    this.choose.hidden = !alike.length;
    this.node.hidden = large; // two maps of very many, matched by name, are more than a page holds
    void this.load();
  }

  async load() {
    const { shown, points } = this.state;
    if (!this.node.open || !shown || !points || shown.data.large) return;
    const mine = ++this.#asked,
      still = () => mine === this.#asked && this.node.open && this.state.shown === shown;
    try {
      const second = await this.#fetch(shown, points.xy, still);
      if (!second || !still()) return;
      this.#xy = second.xy;
      this.words.textContent = second.words;
      this.blend();
    } catch (error) {
      if (still()) this.words.textContent = sentenceOf(error);
    }
  }

  /**
   * @param {Shown} shown
   * @param {Float32Array} first where the points lie on the first map
   * @param {() => boolean} still
   */
  async #fetch(shown, first, still) {
    const { features, layer, galleries } = this,
      { method } = this.state,
      other = galleries.value ? new GalleryData(galleries.value) : null,
      query = { features, layer, method, like: other && shown.name };
    const onwait = (/** @type {string} */ words) => {
      this.words.textContent = words;
    };
    const found = await (other ?? shown.data).settle("points", { query, still, onwait });
    if (!found) return null;
    const where = other ? `, ${galleries.selectedOptions[0].textContent}` : "";
    return {
      xy: other ? await matched(shown, first, other, found.xy) : found.xy,
      words:
        `The second map: ${featureLabel(features)}, layer ${found.facts.layer}${where}. ` +
        "Points that travel far have other neighbours there.",
    };
  }

  /** Puts the points where the slider is. */
  blend() {
    const first = this.state.points?.xy;
    if (!this.#xy || !first || this.#xy.length !== first.length || !this.node.open) return;
    this.map.setPoints(this.share === 0 ? first : way(first, this.#xy, this.share), {
      gently: false,
    });
  }

  /** The whole way in about a second; at once where motion is not wanted. */
  swing() {
    const from = this.share,
      to = this.share < 0.5 ? 1 : 0,
      begin = performance.now(),
      atOnce = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const frame = (/** @type {number} */ now) => {
      const t = atOnce ? 1 : Math.min(Math.max((now - begin) / SWING, 0), 1);
      this.share = from + (to - from) * eased(t);
      this.between.set(this.share);
      this.blend();
      if (t < 1) requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  }

  reset() {
    if (this.share !== 0 && this.state.points) this.map.setPoints(this.state.points.xy);
    this.share = 0;
    this.between.set(0);
  }

  /** What it shows, as tests read it. */
  get exposed() {
    const { share, layer, features } = this;
    return { open: this.node.open, share, layer, features };
  }
}

/** @param {number} share */
function shareText(share) {
  if (share === 0) return "the first";
  return share === 1 ? "the second" : `${Math.round(100 * share)} %`;
}

/**
 * @param {Shown} shown
 * @param {Float32Array} xy
 * @param {GalleryData} other
 * @param {Float32Array} theirs
 */
async function matched({ gallery }, xy, other, theirs) {
  const scene = await other.ask("pictures");
  if (isWaiting(scene)) return xy;
  return matchedPoints(
    { names: gallery.facts.names, xy },
    { names: scene.facts.names, xy: theirs },
  );
}
