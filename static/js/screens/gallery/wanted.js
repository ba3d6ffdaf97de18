/* What is wanted one by one is asked for together, once nothing more has been wanted for a moment:
   whoever sweeps over a thousand points waits for none of them. */

const SOON = 40; // ms

export class Wanted {
  /** The newest last. @type {Set<number>} */
  #indices = new Set();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #busy = false;

  /**
   * @param {object} how
   * @param {number} how.atOnce the last ones that were wanted; those before have left the screen
   * @param {(indices: number[]) => Promise<unknown>} how.fetch
   * @param {(index: number) => boolean} [how.isNeeded] although it has left the screen
   */
  constructor({ atOnce, fetch, isNeeded = () => false }) {
    this.atOnce = atOnce;
    this.fetch = fetch;
    this.isNeeded = isNeeded;
  }

  /** @param {number} index */
  want(index) {
    this.#indices.delete(index);
    this.#indices.add(index);
    this.#askSoon();
  }

  #askSoon() {
    if (this.#busy || !this.#indices.size) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#ask(), SOON);
  }

  async #ask() {
    const all = [...this.#indices],
      asked = all.slice(-this.atOnce);
    this.#indices = new Set(all.slice(0, -this.atOnce).filter(this.isNeeded));
    this.#busy = true;
    try {
      await this.fetch(asked);
    } catch {
      // They are asked for again when they are wanted again.
    }
    this.#busy = false;
    this.#askSoon();
  }
}

/**
 * Puts something into a map that keeps so many, the newest.
 *
 * @template Value
 * @param {Map<number, Value>} map
 * @param {number} index
 * @param {Value} value
 * @param {number} most
 */
export function keepNewest(map, index, value, most) {
  map.delete(index);
  map.set(index, value);
  for (const oldest of map.keys()) {
    if (map.size <= most) break;
    map.delete(oldest);
  }
}
