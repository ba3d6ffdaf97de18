/* What the pictures are called: all of it at once, or, of a large gallery, those that are wanted. */
import { requestJson } from "../../page/scenes.js";
import { keepNewest, Wanted } from "./wanted.js";

const COMING = "…";
const AT_ONCE = 256; // names
const KEPT = 20_000;

export class Names {
  /** @type {Map<number, string>} */
  #known = new Map();

  /**
   * @param {import("./data.js").Gallery} gallery
   * @param {(indices: number[]) => string} url
   * @param {() => void} onarrive more names are known
   */
  constructor({ facts: { names, count, large } }, url, onarrive) {
    this.all = large ? null : names;
    this.length = large ? count : names.length;
    this.wanted = new Wanted({
      atOnce: AT_ONCE,
      fetch: async (indices) => {
        /** @type {{ names: string[] }} */
        const found = await requestJson(url(indices));
        indices.forEach((index, at) => keepNewest(this.#known, index, found.names[at], KEPT));
        onarrive();
      },
    });
  }

  /** A name, or "…" until it has come. @param {number} index */
  of(index) {
    if (this.all) return this.all[index];
    const known = this.#known.get(index);
    if (known === undefined) this.wanted.want(index);
    return known ?? COMING;
  }
}
