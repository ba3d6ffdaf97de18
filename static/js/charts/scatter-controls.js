/* Pointer, wheel, fingers and keys on a scatter: what they ask of it. */
import { rafThrottle } from "../ui/frame.js";

/** @typedef {import("./points.js").Place} Place */

/**
 * @typedef {object} Controlled what the controls call
 * @property {(x: number, y: number) => number | null} pointAt
 * @property {(index: number | null) => void} hover
 * @property {(dx: number, dy: number) => void} pan
 * @property {(factor: number, x?: number, y?: number) => void} zoomAt
 * @property {(line: Place[] | null) => void} drawLasso while it is being drawn; null: given up
 * @property {(line: Place[], added: boolean) => void} endLasso
 * @property {(index: number) => void} pick
 */

const STILL = 4; // px a click may move
const WHEEL = 0.002; // how much a pixel of the wheel zooms

export class ScatterControls {
  /** Whether dragging draws a line around points. */
  lassoing = false;
  /** @type {Map<number, Place>} the fingers that are down */
  #down = new Map();
  /** @type {Place} */
  #begun = [0, 0];
  /** @type {Place[] | null} */
  #path = null;
  #moved = false;

  /**
   * @param {HTMLElement} node
   * @param {Controlled} target
   * @param {{ lasso: boolean }} options whether there is a lasso at all
   */
  constructor(node, target, { lasso }) {
    this.node = node;
    this.target = target;
    this.hasLasso = lasso;
    const hover = rafThrottle((/** @type {number | null} */ x, /** @type {number} */ y) => {
      if (!this.#down.size) target.hover(x === null ? null : target.pointAt(x, y));
    });
    node.addEventListener("pointerdown", (event) => this.#press(event));
    node.addEventListener("pointermove", (event) => {
      if (this.#down.has(event.pointerId)) this.#drag(event);
      else hover(...this.#place(event));
    });
    for (const name of /** @type {const} */ (["pointerup", "pointercancel"]))
      node.addEventListener(name, (event) => this.#release(event));
    node.addEventListener("pointerleave", () => hover(null, 0));
    node.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    node.addEventListener("dblclick", (event) => target.zoomAt(2, ...this.#place(event)));
  }

  /**
   * @param {MouseEvent} event
   * @returns {[number, number]} px of the node
   */
  #place(event) {
    const box = this.node.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  /** @param {PointerEvent} event */
  #press(event) {
    if (event.button) return;
    this.node.setPointerCapture(event.pointerId);
    this.#begun = this.#place(event);
    this.#down.set(event.pointerId, this.#begun);
    const several = this.#down.size > 1;
    this.#moved = several;
    this.#path =
      !several && this.hasLasso && (this.lassoing || event.shiftKey) ? [this.#begun] : null;
  }

  /** @param {PointerEvent} event */
  #drag(event) {
    const here = this.#place(event),
      before = this.#down.get(event.pointerId) ?? here;
    if (Math.hypot(here[0] - this.#begun[0], here[1] - this.#begun[1]) > STILL) this.#moved = true;
    if (this.#down.size === 2) this.#pinch(event.pointerId, before, here);
    else if (this.#path) {
      this.#path.push(here);
      this.target.drawLasso(this.#path);
    } else if (this.#moved) this.target.pan(here[0] - before[0], here[1] - before[1]);
    else return; // not yet a move: what is panned begins where the finger went down
    this.#down.set(event.pointerId, here);
  }

  /**
   * Two fingers: their distance zooms, their middle moves.
   *
   * @param {number} finger that moved
   * @param {Place} before
   * @param {Place} here
   */
  #pinch(finger, before, here) {
    const other = [...this.#down].find(([id]) => id !== finger)?.[1] ?? here;
    const distance = (/** @type {Place} */ [x, y]) =>
      Math.max(Math.hypot(x - other[0], y - other[1]), 8);
    this.target.pan((here[0] - before[0]) / 2, (here[1] - before[1]) / 2);
    const middle = [(here[0] + other[0]) / 2, (here[1] + other[1]) / 2];
    this.target.zoomAt(distance(here) / distance(before), middle[0], middle[1]);
  }

  /** @param {PointerEvent} event */
  #release(event) {
    if (!this.#down.delete(event.pointerId)) return;
    const ended = event.type === "pointerup";
    if (this.#path) {
      if (ended && this.#path.length > 2)
        this.target.endLasso(this.#path, event.shiftKey && this.lassoing);
      else this.target.drawLasso(null);
      this.#path = null;
    } else if (ended && !this.#moved) {
      const index = this.target.pointAt(...this.#place(event));
      if (index !== null) this.target.pick(index);
    }
  }

  /** @param {WheelEvent} event */
  #wheel(event) {
    event.preventDefault();
    const pixels = event.deltaY * (event.deltaMode === 1 ? 16 : 1);
    const turned = Math.min(Math.max(pixels, -300), 300);
    this.target.zoomAt(Math.exp(-turned * WHEEL), ...this.#place(event));
  }
}

const ZOOM_STEP = 1.5;
/** @type {Record<string, Place>} */
const ARROWS = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] };

/**
 * @typedef {object} KeyTarget
 * @property {number | null} hovered
 * @property {(direction: Place) => void} step to the next point in a direction
 * @property {(factor: number) => void} zoomAt
 * @property {() => void} showWhole
 * @property {() => void} clear
 * @property {(index: number) => void} pick
 * @property {(index: number) => void} toggle
 */

/**
 * What a key does on a scatter; false where it does nothing.
 *
 * @param {string} key
 * @param {KeyTarget} target
 */
export function pressKey(key, target) {
  const { hovered } = target;
  if (ARROWS[key]) target.step(ARROWS[key]);
  else if (key === "+" || key === "=") target.zoomAt(ZOOM_STEP);
  else if (key === "-") target.zoomAt(1 / ZOOM_STEP);
  else if (key === "0") target.showWhole();
  else if (key === "Escape") target.clear();
  else if (key !== "Enter" && key !== " ") return false;
  else if (hovered !== null) (key === " " ? target.toggle : target.pick)(hovered);
  return true;
}
