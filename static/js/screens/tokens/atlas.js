/* A canvas of equal cells that the pointer and the arrows walk over: filters, numbers of an embedding. */
import { rafThrottle } from "../../ui/frame.js";
import { MOVES, PatchPicture } from "../../ui/patch-picture.js";

/**
 * @typedef {object} AtlasOptions
 * @property {string} label what the cells are, for who does not see them
 * @property {(index: number) => unknown} onchoose
 * @property {(index: number | null) => unknown} [onpoint]
 * @property {() => unknown} onrelease Escape
 * @property {(index: number) => string | null} describe the words beside the pointer
 */

export class Atlas extends PatchPicture {
  /** The cell that the arrows have reached. @type {[number, number]} */
  #at = [0, 0];
  #actions;

  /** @param {AtlasOptions} options */
  constructor({ label, onchoose, onpoint = () => {}, onrelease, describe }) {
    const point = rafThrottle(onpoint);
    super({
      label,
      from: () => [null, null],
      onpin: (row, col) => {
        this.#at = [row, col];
        onchoose(this.indexOf(row, col));
      },
      onhover: (row, col) => point(this.indexOf(row, col)),
      onleave: () => point(null),
      describe: (row, col) => describe(this.indexOf(row, col)),
    });
    this.#actions = { onchoose, onpoint, onrelease };
    this.picture.remove();
    this.node.classList.add("inside-atlas");
  }

  /** @param {number} row @param {number} col */
  indexOf(row, col) {
    return row * this.grid[1] + col;
  }

  /** @param {number} rows @param {number} columns */
  resize(rows, columns) {
    this.grid = /** @type {readonly [number, number]} */ ([rows, columns]);
    this.node.style.aspectRatio = `${columns} / ${rows}`;
  }

  /** Frames a cell; null takes the frame away. @param {number | null} index @param {boolean} kept */
  markCell(index, kept) {
    if (index === null) this.mark(null, null);
    else this.mark(Math.floor(index / this.grid[1]), index % this.grid[1], kept);
  }

  /** @override @param {KeyboardEvent} event */
  key(event) {
    const move = MOVES[event.key],
      [rows, columns] = this.grid,
      { onchoose, onpoint, onrelease } = this.#actions;
    if (move) {
      const [row, col] = this.#at;
      this.#at = [
        Math.min(Math.max(row + move[0], 0), rows - 1),
        Math.min(Math.max(col + move[1], 0), columns - 1),
      ];
      this.mark(...this.#at, false);
      onpoint(this.indexOf(...this.#at));
    } else if (event.key === "Enter") onchoose(this.indexOf(...this.#at));
    else if (event.key === "Escape") onrelease();
    else return;
    event.preventDefault();
  }
}
