/* Points on their way from one place to another. */
import { between, eased } from "./points.js";

const MORPH = 700; // ms

export class Morph {
  #frame = 0;
  #still = globalThis.matchMedia?.("(prefers-reduced-motion: reduce)");

  get running() {
    return this.#frame !== 0;
  }

  /** Whether whoever looks wants to see movement. */
  get wanted() {
    return !this.#still?.matches;
  }

  cancel() {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
  }

  /**
   * @param {Float32Array} from
   * @param {Float32Array} to
   * @param {(points: Float32Array) => void} draw the last time it is `to` itself
   */
  start(from, to, draw) {
    this.cancel();
    const begin = performance.now(),
      way = new Float32Array(to.length);
    const step = (/** @type {number} */ now) => {
      const t = Math.min(Math.max((now - begin) / MORPH, 0), 1);
      this.#frame = t === 1 ? 0 : requestAnimationFrame(step);
      draw(t === 1 ? to : between(from, to, eased(t), way));
    };
    this.#frame = requestAnimationFrame(step);
  }
}
