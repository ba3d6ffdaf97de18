/* The arithmetic of the losses' screen: which pairs count, where the masked patches are, and which
   prototypes are worth naming. Nothing here touches the page. */

/** @typedef {readonly [student: number, teacher: number]} CropPair a student's crop, a teacher's view */
/** @typedef {readonly [row: number, col: number]} Patch of global crop 0 */

export const GLOBALS = 2; // views that the teacher sees; they are the first two crops

/** Whether a pair adds to the loss: no crop is compared with itself. @param {CropPair} pair */
export const isCounted = ([student, teacher]) => student !== teacher;

/** Index of the largest value. @param {ArrayLike<number>} values */
export function best(values) {
  let top = 0;
  for (let i = 1; i < values.length; i++) if (values[i] > values[top]) top = i;
  return top;
}

/**
 * The smallest and the largest of the cross-entropies [2 + L, 2] that count.
 *
 * @param {ArrayLike<number>} dino
 * @returns {[number, number]}
 */
export function rangeOfCounted(dino) {
  const counted = Array.from(dino).filter((_, i) => isCounted(pairAt(i)));
  return [Math.min(...counted), Math.max(...counted)];
}

/** The pair at a place of [2 + L, 2], row by row. @param {number} i @returns {CropPair} */
export const pairAt = (i) => [Math.floor(i / GLOBALS), i % GLOBALS];

/**
 * Where arrow keys lead from a pair of crops: over what does not count, and never out of the table.
 *
 * @param {CropPair} from
 * @param {readonly [number, number]} move crops to the right, views down
 * @param {number} crops how many there are
 * @returns {CropPair}
 */
export function neighbour(from, [right, down], crops) {
  let [student, teacher] = from;
  for (let i = 0; i < crops; i++) {
    student = clamp(student + right, crops);
    teacher = clamp(teacher + down, GLOBALS);
    if (isCounted([student, teacher])) return [student, teacher];
  }
  return from;
}

/** @param {number} value @param {number} count */
const clamp = (value, count) => Math.min(Math.max(value, 0), count - 1);

/**
 * Places of the masked patches in the grid, in reading order: [M].
 *
 * @param {ArrayLike<number>} mask 1 where hidden
 */
export const maskedPlaces = (mask) =>
  Array.from(mask, (hidden, at) => (hidden ? at : -1)).filter((at) => at >= 0);

/**
 * The number of a patch among the masked ones; -1 for a visible one.
 *
 * @param {ArrayLike<number>} mask
 * @param {number} at its place in the grid
 */
export function maskedIndex(mask, at) {
  if (!mask[at]) return -1;
  let index = 0;
  for (let i = 0; i < at; i++) index += mask[i];
  return index;
}

/**
 * For how many rows of two arrays [n * width] the largest value is in the same place.
 *
 * @param {Float32Array} one
 * @param {Float32Array} other
 * @param {number} width
 */
export function agreements(one, other, width) {
  let same = 0;
  for (let i = 0; i < one.length; i += width)
    if (best(one.subarray(i, i + width)) === best(other.subarray(i, i + width))) same += 1;
  return same;
}

/**
 * Places of the prototypes to name: those the teacher finds likeliest, then those of the student; the
 * teacher's likeliest first.
 *
 * @param {ArrayLike<number>} teacher
 * @param {ArrayLike<number>} student
 * @param {number} count
 */
export function standOut(teacher, student, count) {
  const order = (/** @type {ArrayLike<number>} */ values) =>
    Array.from(values, (_, place) => place).sort((a, b) => values[b] - values[a]);
  const chosen = order(teacher).slice(0, Math.ceil(count * 0.625));
  for (const place of order(student))
    if (chosen.length < count && !chosen.includes(place)) chosen.push(place);
  return chosen.sort((a, b) => teacher[b] - teacher[a]);
}

/**
 * What is left of a distribution without some of its places.
 *
 * @param {ArrayLike<number>} values
 * @param {readonly number[]} places
 */
export const remainder = (values, places) =>
  Math.max(0, 1 - places.reduce((sum, place) => sum + values[place], 0));

/**
 * Corner of the window of three patches around one, as far as the grid reaches; in patches.
 *
 * @param {number} i row or column of the patch
 * @param {number} count of rows or columns
 */
export const windowStart = (i, count) => Math.min(Math.max(i - 1, 0), Math.max(count - 3, 0));
