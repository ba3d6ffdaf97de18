/* What a browser keeps from one visit to the next. */

const PREFIX = "inside-";

/** @param {string} name @returns {string | null} null where nothing is kept */
export function readMemory(name) {
  try {
    return localStorage.getItem(PREFIX + name);
  } catch {
    return null; // this browser keeps nothing
  }
}

/** @param {string} name @param {string} value */
export function writeMemory(name, value) {
  try {
    localStorage.setItem(PREFIX + name, value);
  } catch {
    // then it is not there the next time
  }
}
