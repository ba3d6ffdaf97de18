/* Which gallery is open. Everything that is on the screen changes from one gallery to the next in one
   step, once all of the new one is there: a header never stands over another gallery's map. */
import { bus } from "../../page/bus.js";
import { sentenceOf } from "../../page/errors.js";
import { keep, kept } from "../../page/link.js";
import { requestJson } from "../../page/scenes.js";
import { isOpen } from "../../page/screens.js";
import { GalleryData, isWaiting } from "./data.js";
import { neighbourQuery } from "./loading.js";
import { mapQuery } from "./state.js";
import { Names } from "./names.js";
import { askMap, settleMap } from "./parts.js";
import { Thumbnails } from "./thumbnails.js";
import { TileThumbnails } from "./tile-thumbnails.js";

/** @typedef {import("./state.js").Card} Card */
/** @typedef {import("./state.js").State} State */

const AGAIN = 1000; // ms
const LATER = { waiting: "" };
export const SAMPLES = "samples";
const ELSEWHERE =
  "That gallery is not on this server, or it is another visitor's: here are the samples.";

export class Opening {
  #epoch = 0; // of what was asked for last
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /**
   * @param {object} parts
   * @param {State} parts.state
   * @param {import("./state.js").Update} parts.update
   * @param {import("./loading.js").Loading} parts.loading
   * @param {import("../../page/screens.js").Page} parts.page
   * @param {() => void} parts.onthumbnails some have come
   * @param {() => void} parts.onnames more are known
   */
  constructor({ state, update, loading, page, onthumbnails, onnames }) {
    this.state = state;
    this.update = update;
    this.loading = loading;
    this.page = page;
    this.onthumbnails = onthumbnails;
    this.onnames = onnames;
    bus.on("screen", ({ name }) => {
      if (name !== "gallery" || !state.name) return;
      if (state.shown?.name !== state.name || state.card?.alive) this.run(state.name);
    });
  }

  /** Opens a gallery, and tells on the screen what goes wrong. @param {string} name */
  run(name) {
    return this.page.run(() => this.open(name));
  }

  /** @param {string} name @returns {Promise<void>} */
  async open(name) {
    clearTimeout(this.#timer);
    const mine = ++this.#epoch;
    /** @type {{ galleries: Card[], models: [string, string][] }} */
    const { galleries: cards, models } = await requestJson("galleries");
    if (mine !== this.#epoch) return;
    const card = cards.find((one) => one.name === name) ?? null;
    if (!card && name !== SAMPLES) {
      this.update({ cards, models, problem: ELSEWHERE });
      return this.open(SAMPLES);
    }
    if (name !== this.state.name) keep("gallery", name === SAMPLES ? null : name);
    this.update({ cards, models, name, card });
    if (card) await this.#follow(card, mine);
    else this.#poll();
  }

  /** What became of a gallery that is known already. @param {Card} card */
  know(card) {
    const { cards } = this.state,
      known = cards.some(({ name }) => name === card.name);
    this.update({
      card,
      cards: known ? cards.map((one) => (one.name === card.name ? card : one)) : [card, ...cards],
    });
  }

  /**
   * Loads what is there, and asks again while something is still being made.
   *
   * @param {Card} card
   * @param {number} mine
   */
  async #follow(card, mine) {
    if (!card.seen) this.update({ shown: null });
    else if (this.state.shown?.name !== card.name) await this.#load(card, mine);
    if (mine === this.#epoch && card.alive) this.#poll();
  }

  #poll() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#again(), AGAIN);
  }

  async #again() {
    const { name, card } = this.state,
      mine = this.#epoch;
    if (!isOpen("gallery") || !name) return;
    try {
      if (!card) return await this.open(name);
      /** @type {Card} */
      const next = await requestJson(`galleries/${name}`);
      if (mine !== this.#epoch) return;
      this.know(next);
      await this.#follow(next, mine);
    } catch (error) {
      if (mine !== this.#epoch) return;
      this.update({ problem: sentenceOf(error) });
      this.#poll();
    }
  }

  /**
   * @param {Card} card
   * @param {number} mine
   */
  async #load(card, mine) {
    const { state, update, loading } = this,
      data = new GalleryData(card.name),
      still = () => mine === this.#epoch,
      gallery = await data.ask("pictures");
    if (!still() || isWaiting(gallery)) return;
    data.large = gallery.facts.large;
    const start = { ...state, ...startOf(gallery, state) },
      { layer, features, colour, clusterCount } = start;
    const flat = { ...mapQuery(start), method: "pca" },
      asked = await askMap(data, mapQuery(start)).catch(() => LATER), // it says then why not
      points = isWaiting(asked) ? await settleMap(data, { query: flat, still }) : asked;
    const groups = { method: "kmeans", k: clusterCount, features, layer },
      clusters =
        colour === "cluster" ? await data.settle("clusters", { query: groups, still }) : null,
      chosen = pictureOfLink(gallery),
      near = { query: neighbourQuery(start), picture: chosen, still },
      neighbours = await data.settle("neighbours", near);
    if (!still()) return;
    const thumbnails = thumbnailsOf(data, this.onthumbnails),
      names = new Names(
        gallery,
        (indices) => data.url("names", { of: indices.join() }),
        this.onnames,
      );
    update({
      ...{
        layer,
        colour,
        clusterCount,
        clustering: "kmeans",
        points,
        clusters,
        chosen,
        neighbours,
      },
      ...{
        predictions: null,
        predicted: "",
        probe: null,
        probeMessage: "",
        own: null,
        command: "",
      },
      ...{ mapWaiting: null, coloursWaiting: null, selection: { indices: [], words: "" } },
      shown: { name: card.name, data, gallery, names, thumbnails, card },
    });
    void loading.rest(isWaiting(asked) ? flat : mapQuery(start));
    void Promise.all([loading.own(), loading.command(), loading.probe()]);
    if (isWaiting(asked)) void loading.map();
    if (colour === "prediction") void loading.colours();
  }
}

/**
 * How a gallery begins: as the link says, else at the last layer, in the colours of its labels.
 *
 * @param {import("./state.js").Gallery} gallery
 * @param {State} state
 * @returns {Pick<State, "layer" | "colour" | "clusterCount">}
 */
function startOf({ facts: { count, classes, layers } }, { preferredColour }) {
  const wanted = numberOfLink("gallery.layer"),
    some = classes.length || Math.min(Math.round(Math.sqrt(count)), 8);
  return {
    layer: wanted !== null && wanted < layers ? wanted : layers - 1,
    colour: classes.length ? preferredColour : "cluster",
    clusterCount: Math.min(Math.max(some, 2), count, 30),
  };
}

/** @param {import("./state.js").Gallery} gallery */
function pictureOfLink({ facts: { count } }) {
  const linked = numberOfLink("gallery.pick");
  return linked !== null && linked < count ? linked : 0;
}

/** @param {GalleryData} data @param {() => void} onarrive */
function thumbnailsOf(data, onarrive) {
  return data.large
    ? new TileThumbnails((indices) => data.url("tiles.jpg", { of: indices.join() }), onarrive)
    : new Thumbnails((number) => data.url(`atlas/${number}.jpg`), onarrive);
}

/** @param {string} name */
function numberOfLink(name) {
  const value = Number.parseInt(kept(name) ?? "", 10);
  return Number.isInteger(value) && value >= 0 ? value : null;
}
