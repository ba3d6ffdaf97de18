/* A picture cut into patches: pointer and keyboard choose one. */
import { el } from "./dom.js";
import { rafThrottle } from "./frame.js";
import { tip } from "./tooltip.js";

/** @type {Record<string, readonly [number, number]>} */
export const MOVES = {
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
};

/**
 * @typedef {object} PatchPictureOptions
 * @property {string} label what the picture is, for who does not see it
 * @property {() => readonly [number | null, number | null]} from the patch that arrows start from;
 *   [null, null]: the middle
 * @property {(row: number, col: number) => unknown} [onhover]
 * @property {() => unknown} [onleave]
 * @property {(row: number, col: number) => unknown} [onpin] clicked, or moved to by an arrow
 * @property {(key: string) => boolean | undefined} [onkey] true: the key has been used
 * @property {(row: number, col: number) => string | null} [describe] the words beside the pointer
 */

export class PatchPicture {
  /** @param {PatchPictureOptions} options */
  constructor(options) {
    this.options = options;
    /** @type {readonly [number, number]} */
    this.grid = [1, 1];
    this.picture = el("img", { alt: "", draggable: "false" });
    this.overlay = el("canvas", { class: "inside-overlay" });
    this.marker = el("div", { class: "inside-marker", hidden: true });
    this.node = el(
      "div",
      {
        class: "inside-picture",
        tabindex: "0",
        role: "application",
        "aria-label": options.label,
        "aria-roledescription": "picture in patches",
        onpointermove: (event) => this.hover(event),
        onpointerleave: (event) => {
          this.options.onleave?.();
          this.#describe(event, null);
        },
        onclick: (event) => this.options.onpin?.(...this.patchUnder(event)),
        onkeydown: (event) => this.key(event),
      },
      this.picture,
      this.overlay,
      this.marker,
    );
  }

  /**
   * @param {string} url of the picture
   * @param {readonly [number, number]} grid [h, w] patches
   * @param {readonly [number, number]} size [width, height], px
   */
  show(url, grid, size) {
    this.grid = grid;
    if (this.picture.getAttribute("src") !== url) this.picture.src = url;
    this.node.style.aspectRatio = `${size[0]} / ${size[1]}`;
    this.node.style.setProperty("--ratio", String(size[0] / size[1])); // limits its height
  }

  /** @param {PointerEvent} event */
  hover(event) {
    const box = this.node.getBoundingClientRect(); // measured before anything is written
    const patch = this.patchUnder(event, box);
    this.options.onhover?.(...patch);
    this.#describe(event, patch, box);
  }

  /* A view answers hovering once a frame; the words wait for it, or they would tell old numbers. */
  #describe = rafThrottle(
    /**
     * @param {PointerEvent} event
     * @param {[number, number] | null} patch
     * @param {DOMRect} [box]
     */
    (event, patch, box) => {
      const words = patch ? (this.options.describe?.(...patch) ?? null) : null;
      tip(this.node, event, words, box, this.grid);
    },
  );

  /**
   * @param {{ clientX: number, clientY: number }} event
   * @param {DOMRect} [box]
   * @returns {[number, number]} row and column
   */
  patchUnder(event, box = this.node.getBoundingClientRect()) {
    const [h, w] = this.grid;
    const clamp = (/** @type {number} */ value, /** @type {number} */ count) =>
      Math.min(Math.max(Math.floor(value), 0), count - 1);
    return [
      clamp(((event.clientY - box.top) / box.height) * h, h),
      clamp(((event.clientX - box.left) / box.width) * w, w),
    ];
  }

  /**
   * Frames a patch; null takes the frame away.
   *
   * @param {number | null} row
   * @param {number | null} col
   * @param {boolean} [pinned] kept, not only pointed at
   */
  mark(row, col, pinned = false) {
    this.marker.hidden = row === null || col === null;
    if (row === null || col === null) return;
    const [h, w] = this.grid,
      style = this.marker.style; // moved by a transform: nothing is laid out or painted again
    style.width = `${100 / w}%`;
    style.height = `${100 / h}%`;
    style.transform = `translate(${100 * col}%, ${100 * row}%)`;
    this.marker.classList.toggle("pinned", pinned);
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const [h, w] = this.grid,
      [row, col] = this.options.from(),
      move = MOVES[event.key];
    if (move)
      this.options.onpin?.(
        Math.min(Math.max((row ?? Math.floor(h / 2)) + move[0], 0), h - 1),
        Math.min(Math.max((col ?? Math.floor(w / 2)) + move[1], 0), w - 1),
      );
    else if (!this.options.onkey?.(event.key)) return;
    event.preventDefault();
  }
}
