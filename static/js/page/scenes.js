/* Scenes: one binary answer of the server (safetensors) -> { facts, shapes, name: typed array, ... }.
   types/scenes.d.ts says what each of them holds. */
import { connection } from "./connection.js";
import { NetworkError, ServerError } from "./errors.js";
import { reopenFor } from "./reopening.js";

/**
 * @typedef {object} AnyScene
 * @property {Record<string, unknown>} facts
 * @property {Record<string, number[]>} shapes
 */

const TYPES = /** @type {const} */ ({
  F32: Float32Array,
  U8: Uint8Array,
  I8: Int8Array,
  I32: Int32Array,
  BOOL: Uint8Array,
});

/**
 * @typedef {object} Entry of a safetensors header
 * @property {keyof typeof TYPES} dtype
 * @property {number[]} shape
 * @property {[number, number]} data_offsets
 */

/**
 * The arrays are views on `buffer`, not copies.
 *
 * @template {object} [S=AnyScene]
 * @param {ArrayBuffer} buffer
 * @returns {S}
 */
export function parseScene(buffer) {
  const length = Number(new DataView(buffer).getBigUint64(0, true));
  /** @type {Record<string, Entry>} */
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 8, length)));
  const { __metadata__: metadata, ...entries } = header;
  /** @type {{ facts: string }} */
  const { facts } = Object(metadata);
  /** @type {Record<string, unknown>} */
  const scene = { facts: JSON.parse(facts) };
  /** @type {Record<string, number[]>} */
  const shapes = {};
  for (const [name, { dtype, shape, data_offsets: offsets }] of Object.entries(entries)) {
    const [start, stop] = offsets,
      Type = TYPES[dtype];
    scene[name] = new Type(buffer, 8 + length + start, (stop - start) / Type.BYTES_PER_ELEMENT);
    shapes[name] = shape;
  }
  return /** @type {S} */ ({ ...scene, shapes });
}

// ---------- asking the server

const PROXY = [502, 504]; // a proxy's words for no answer

/**
 * @typedef {object} Repeating
 * @property {boolean} [repeatable] it does no harm to ask twice: so with whatever only reads
 */

/**
 * `fetch` that throws a ServerError with the server's sentence. What may be asked twice waits for a
 * server that is away; anything else, and what alone gets no answer, is a NetworkError.
 *
 * @param {string} url
 * @param {RequestInit} [options]
 * @param {Repeating} [repeating]
 */
export const request = (url, options, repeating) =>
  answered(() => requestOnce(url, options), options, repeating);

/**
 * @template Result
 * @param {() => Promise<Result>} work
 * @param {RequestInit} [options]
 * @param {Repeating} [repeating]
 * @returns {Promise<Result>}
 */
async function answered(work, options = {}, { repeatable = !options.method } = {}) {
  if (repeatable) return connection.patiently(work, options.signal);
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof NetworkError)) throw error;
    throw new NetworkError(error, await connection.isAway());
  }
}

/** @param {string} url @param {RequestInit} [options] @returns {Promise<Response>} */
async function requestOnce(url, options, again = true) {
  const response = await fetch(url, options).catch(noAnswer);
  if (response.ok) return response;
  if (PROXY.includes(response.status)) throw new NetworkError();
  if (again && response.status === 404 && (await reopenFor(url)))
    return requestOnce(url, options, false);
  throw new ServerError(await response.text().catch(noAnswer), response.status);
}

/**
 * The answer is cut off: no fault of the page. A request that the page itself gave up is no news.
 *
 * @param {unknown} error
 * @returns {never}
 */
function noAnswer(error) {
  if (error instanceof DOMException && error.name === "AbortError") throw error;
  throw new NetworkError(error);
}

/**
 * @template [T=unknown]
 * @param {string} url
 * @param {RequestInit} [options]
 * @param {Repeating} [repeating]
 * @returns {Promise<T>}
 */
export function requestJson(url, options, repeating) {
  const work = async () => {
    const response = await requestOnce(url, options);
    return JSON.parse(await response.text().catch(noAnswer));
  };
  return answered(work, options, repeating);
}

/**
 * A scene of a response that has come; for answers that are looked at before they are read.
 *
 * @template {object} [S=AnyScene]
 * @param {Response} response
 * @returns {Promise<S>}
 */
export async function sceneOf(response) {
  return parseScene(await response.arrayBuffer().catch(noAnswer));
}

/**
 * A map that keeps the `most` entries that were used last.
 *
 * @template Value
 * @param {number} most
 */
export function createCache(most) {
  /** @type {Map<string, Value>} */
  const entries = new Map();
  return {
    /** @param {string} key @returns {Value | undefined} */
    get(key) {
      const value = entries.get(key);
      if (value === undefined) return undefined;
      entries.delete(key);
      entries.set(key, value); // used again: newest
      return value;
    },
    /** @param {string} key @param {Value} value */
    set(key, value) {
      entries.delete(key);
      entries.set(key, value);
      for (const oldest of entries.keys()) {
        if (entries.size <= most) break;
        entries.delete(oldest);
      }
      return value;
    },
    /** @param {string} key */
    delete: (key) => entries.delete(key),
    get size() {
      return entries.size;
    },
  };
}

/** @type {ReturnType<typeof createCache<Promise<object>>>} */
const scenes = createCache(24);

/**
 * A scene, from memory where it was asked for lately. What fails is asked for again.
 *
 * @template {object} [S=AnyScene]
 * @param {string} url
 * @returns {Promise<S>}
 */
export function fetchScene(url) {
  const known = scenes.get(url);
  if (known) return /** @type {Promise<S>} */ (known);
  const scene = connection.patiently(async () => {
    /** @type {S} */
    const whole = await sceneOf(await requestOnce(url));
    return whole;
  });
  scene.catch(() => scenes.delete(url));
  return /** @type {Promise<S>} */ (scenes.set(url, scene));
}

/**
 * Where a scene of an open picture is.
 *
 * @param {string} key of the picture
 * @param {string} path
 * @param {Record<string, string | number | boolean>} [query]
 */
export function sceneUrl(key, path, query = {}) {
  const pairs = Object.entries(query).map(([name, value]) => [name, String(value)]);
  const text = new URLSearchParams(pairs).toString();
  return `view/${key}/${path}${text ? `?${text}` : ""}`;
}
