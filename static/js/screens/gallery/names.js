/* What the pictures are called: all of it at once, or, of a large gallery, page by page as wanted. */
import { requestJson } from "../../page/scenes.js";

const PAGE = 1024; // names
const COMING = "…";

export class Names {
  /** @type {Map<number, string[]>} page -> its names; empty while they are on their way */
  #pages = new Map();

  /**
   * @param {import("./data.js").Gallery} gallery
   * @param {(page: number) => string} url
   * @param {() => void} onarrive more names are known
   */
  constructor({ facts: { names, count, large } }, url, onarrive) {
    this.all = large ? null : names;
    this.length = large ? count : names.length;
    this.url = url;
    this.onarrive = onarrive;
  }

  /** A name, or "…" until it has come. @param {number} index */
  of(index) {
    if (this.all) return this.all[index];
    const number = Math.floor(index / PAGE),
      page = this.#pages.get(number);
    if (!page) void this.#fetch(number);
    return page?.[index % PAGE] ?? COMING;
  }

  /** @param {number} number */
  async #fetch(number) {
    this.#pages.set(number, []);
    try {
      /** @type {{ names: string[] }} */
      const { names } = await requestJson(this.url(number));
      this.#pages.set(number, names);
      this.onarrive();
    } catch {
      this.#pages.delete(number); // asked for again when it is wanted again
    }
  }
}
