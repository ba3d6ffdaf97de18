/* What the server knows of one gallery. Some answers are still being computed: `ask` then gives
   { waiting: words } at once, and `settle` asks again until they are there. */
import { request, sceneOf } from "../../page/scenes.js";

/** @typedef {import("../../types/scenes").gallery.Gallery} Gallery */
/** @typedef {import("../../types/scenes").gallery.Points & { parts?: number }} Points in parts, or not */
/** @typedef {import("../../types/scenes").gallery_parts.Part} Part */
/** @typedef {import("../../types/scenes").gallery_parts.Found} Found */
/** @typedef {import("../../types/scenes").gallery_similarity.Clusters} Clusters */
/** @typedef {import("../../types/scenes").gallery_similarity.Neighbours} Neighbours */
/** @typedef {import("../../types/scenes").gallery_similarity.Patches} Patches */
/** @typedef {import("../../types/scenes").gallery_similarity.Outliers} Outliers */
/** @typedef {import("../../types/scenes").gallery_similarity.Duplicates} Duplicates */
/** @typedef {import("../../types/scenes").gallery_probes.Probe} Probe */
/** @typedef {import("../../types/scenes").gallery_probes.Predictions} Predictions */

/** @typedef {{ waiting: string }} Waiting still being computed, in words */
/** @typedef {Record<string, string | number | null | undefined>} Query null and undefined: left out */

/**
 * @typedef {object} Scenes what each path answers
 * @property {Gallery} pictures
 * @property {Points} points
 * @property {Part} part of the map of a large gallery
 * @property {Found} search
 * @property {Clusters} clusters
 * @property {Neighbours} neighbours of a picture
 * @property {Patches} patches of a picture
 * @property {Outliers} outliers
 * @property {Duplicates} duplicates
 * @property {Probe} probe
 * @property {Predictions} predictions
 */

const AGAIN = 1500; // ms
const KEPT = 60; // answers

/** @template {object} S @param {S | Waiting} answer @returns {answer is Waiting} */
export const isWaiting = (answer) => "waiting" in answer;

/** @param {string} url @returns {Promise<object>} */
async function fetchNow(url) {
  const response = await request(url);
  if (response.status === 202) return { waiting: await response.text() };
  return sceneOf(response);
}

export class GalleryData {
  /** @type {Map<string, Promise<object>>} url -> answer */
  #known = new Map();

  /** Whether its map comes in parts. */
  large = false;

  /** @param {string} name */
  constructor(name) {
    this.name = name;
  }

  /** @param {string} path @param {Query} [query] */
  url(path, query = {}) {
    const there = Object.entries(query).filter(
        ([, value]) => value !== null && value !== undefined,
      ),
      text = new URLSearchParams(there.map(([key, value]) => [key, String(value)])).toString();
    return `galleries/${this.name}/${path}${text ? `?${text}` : ""}`;
  }

  /**
   * Only what is there is kept.
   *
   * @template {keyof Scenes} Path
   * @param {Path} path
   * @param {Query} [query]
   * @param {number} [picture] that it is about, or number of the part
   * @returns {Promise<Scenes[Path] | Waiting>}
   */
  ask(path, query, picture) {
    const address = this.url(picture === undefined ? path : `${path}/${picture}`, query),
      known = this.#known.get(address) ?? this.#fetch(address);
    return /** @type {Promise<Scenes[Path] | Waiting>} */ (known);
  }

  /** @param {string} address */
  #fetch(address) {
    const answer = fetchNow(address);
    this.#known.set(address, answer);
    const forget = () => this.#known.delete(address);
    answer.then((scene) => isWaiting(scene) && forget(), forget);
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= KEPT) break;
      this.#known.delete(oldest);
    }
    return answer;
  }

  /**
   * Asks until it is there; null once nobody wants it any more.
   *
   * @template {keyof Scenes} Path
   * @param {Path} path
   * @param {object} wanted
   * @param {Query} [wanted.query]
   * @param {number} [wanted.picture]
   * @param {() => boolean} wanted.still whether it is still wanted
   * @param {(words: string) => void} [wanted.onwait]
   * @returns {Promise<Scenes[Path] | null>}
   */
  async settle(path, { query, picture, still, onwait }) {
    for (;;) {
      const scene = await this.ask(path, query, picture);
      if (!still()) return null;
      if (!isWaiting(scene)) return scene;
      onwait?.(scene.waiting);
      await new Promise((done) => setTimeout(done, AGAIN));
      if (!still()) return null;
    }
  }

  /** What is asked next is asked anew. @param {keyof Scenes} path */
  forget(path) {
    this.#known.delete(this.url(path));
  }
}
