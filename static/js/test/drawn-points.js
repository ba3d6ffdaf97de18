/* Points of a map for tests, drawn from a seed: the same ones every time. */

/** Numbers from 0 to 1 that are the same every time. @param {number} seed */
export function random(seed) {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** @param {number} n @param {number} seed */
export function cloud(n, seed) {
  const next = random(seed);
  return Float32Array.from({ length: 2 * n }, () => 2 * next() - 1);
}
