/* When work is done: at most once a frame, at most every so often, or when the calls have come to rest. */

/**
 * Calls `work` at most once a frame, with the newest arguments.
 *
 * @template {unknown[]} Args
 * @param {(...args: Args) => unknown} work
 * @returns {(...args: Args) => void}
 */
export function rafThrottle(work) {
  /** @type {Args | null} */
  let waiting = null;
  return (...args) => {
    if (!waiting)
      requestAnimationFrame(() => {
        const newest = /** @type {Args} */ (waiting);
        waiting = null;
        work(...newest);
      });
    waiting = args;
  };
}

/**
 * Calls `work` at most every `ms`, with the newest arguments: for words that follow the pointer, which
 * nobody reads sixty times a second. `.now(...)` calls it at once.
 *
 * @template {unknown[]} Args
 * @param {(...args: Args) => unknown} work
 * @param {number} [ms]
 */
export function throttle(work, ms = 100) {
  let last = -Infinity;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const now = (/** @type {Args} */ ...args) => {
    clearTimeout(timer);
    last = performance.now();
    work(...args);
  };
  const soon = (/** @type {Args} */ ...args) => {
    const wait = last + ms - performance.now();
    if (wait <= 0) return now(...args);
    clearTimeout(timer);
    timer = setTimeout(now, wait, ...args);
  };
  return Object.assign(soon, { now });
}

/**
 * Calls `work` once nobody has asked for it for `ms`, with the newest arguments.
 *
 * @template {unknown[]} Args
 * @param {(...args: Args) => unknown} work
 * @param {number} ms
 * @returns {(...args: Args) => void}
 */
export function debounce(work, ms) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  return (...args) => {
    clearTimeout(timer);
    timer = setTimeout(work, ms, ...args);
  };
}
