/* Values in few words, for transcripts: numbers to four digits, long texts by their beginning and a
   number that changes with the rest. */

const BASIS = 0x811c9dc5;
const mix = (hash, value) => Math.imul(hash ^ value, 0x01000193);
const written = (hash) => `#${(hash >>> 0).toString(36)}`;

/** FNV-1a of a text, in base 36. */
export function digest(text) {
  let hash = BASIS;
  for (let i = 0; i < text.length; i++) hash = mix(hash, text.charCodeAt(i));
  return written(hash);
}

/** The same of numbers, of which those with a point count to about four digits. */
function digestOf(numbers) {
  const isWhole = !(numbers instanceof Float32Array || numbers instanceof Float64Array),
    bits = isWhole ? numbers : new Uint32Array(Float32Array.from(numbers).buffer);
  let hash = BASIS;
  for (const one of bits) hash = mix(hash, isWhole ? one : (one + 0x800) >>> 12);
  return written(hash);
}

/** @param {string} text @param {number} [most] letters */
export const short = (text, most = 200) => {
  const line = text.replaceAll("\n", "\\n");
  return line.length > most ? `${line.slice(0, most - 40)}… ${digest(line)}` : line;
};

const number = (value) =>
  Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(4)));

/** Numbers of an array or of a picture. */
const numbersOf = (value) => `${value.length} numbers ${digestOf(value)}`;

function tellArray(all, inside) {
  if (all.length > 24 && all.every((one) => typeof one === "number"))
    return `${all.length} numbers ${digest(all.map(number).join())}`;
  return `[${all.map((one) => tell(one, inside)).join(" ")}]`;
}

function tellObject(value, inside) {
  if (value.tag) return `<${value.tag}>`;
  if (value.data instanceof Uint8ClampedArray) return `pixels ${digestOf(value.data)}`;
  if (ArrayBuffer.isView(value)) return numbersOf(value);
  if (value instanceof Map || value instanceof Set) return tell([...value], inside);
  if (Array.isArray(value)) return tellArray(value, inside);
  const pairs = Object.entries(value).map(([name, one]) => `${name}: ${tell(one, inside)}`);
  return `{${pairs.join(", ")}}`;
}

/** @param {unknown} value @param {Set<unknown>} [above] what it lies in */
export function tell(value, above = new Set()) {
  if (typeof value === "number") return number(value);
  if (typeof value === "function") return "a function";
  if (typeof value !== "object" || value === null) return String(value);
  return above.has(value) ? "again" : tellObject(value, new Set([...above, value]));
}
