/* A server in place of fetch that answers what a real one did: answers/NAME.json, by method, address
   and body. Large arrays are not kept: in their place stand numbers between the same ends. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { note, onItsWay } from "./small-browser.js";

const LARGE = 1200; // bytes of an array
const TYPES = {
  F32: Float32Array,
  U8: Uint8Array,
  I8: Int8Array,
  I32: Int32Array,
  BOOL: Uint8Array,
};

// ---------- scenes, shorter

/** @param {Buffer} raw safetensors */
function kept(raw) {
  const length = Number(raw.readBigUInt64LE(0)),
    { __metadata__: metadata, ...entries } = JSON.parse(raw.subarray(8, 8 + length).toString()),
    arrays = {};
  for (const [name, { dtype, shape, data_offsets: ends }] of Object.entries(entries)) {
    const bytes = raw.subarray(8 + length + ends[0], 8 + length + ends[1]);
    if (bytes.length <= LARGE) arrays[name] = { dtype, shape, base64: bytes.toString("base64") };
    else {
      const values = new TYPES[dtype](Uint8Array.from(bytes).buffer),
        finite = [...values].filter(Number.isFinite).sort((a, b) => a - b);
      arrays[name] = { dtype, shape, between: [finite[0] ?? 0, finite.at(-1) ?? 0] };
    }
  }
  return { facts: JSON.parse(metadata.facts), arrays };
}

/** Numbers without a pattern, the same each time. */
function madeUp(Type, count, [low, high]) {
  const all = new Type(count),
    room = high - low + (Type === Float32Array ? 0 : 0.999);
  let state = count;
  for (let i = 0; i < count; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    all[i] = low + (room * state) / 2 ** 32;
  }
  return new Uint8Array(all.buffer);
}

/** @returns {Uint8Array} safetensors */
function whole({ facts, arrays }) {
  const header = { __metadata__: { facts: JSON.stringify(facts) } },
    parts = [];
  let at = 0;
  for (const [name, { dtype, shape, base64, between }] of Object.entries(arrays)) {
    const count = shape.reduce((a, b) => a * b, 1),
      bytes =
        base64 === undefined
          ? madeUp(TYPES[dtype], count, between)
          : new Uint8Array(Buffer.from(base64, "base64"));
    header[name] = { dtype, shape, data_offsets: [at, at + bytes.length] };
    parts.push([at, bytes]);
    at += bytes.length;
  }
  const text = JSON.stringify(header),
    head = new TextEncoder().encode(text.padEnd(text.length + 8 - (Buffer.byteLength(text) % 8))),
    all = new Uint8Array(8 + head.length + at);
  new DataView(all.buffer).setBigUint64(0, BigInt(head.length), true);
  all.set(head, 8);
  for (const [start, bytes] of parts) all.set(bytes, 8 + head.length + start);
  return all;
}

/** A chart without its colours and fonts, and with the beginnings of its curves. */
const isCurve = (value) => Array.isArray(value) && value.every((one) => typeof one === "number");
const plain = (name, value) =>
  name === "template" ? {} : isCurve(value) ? value.slice(0, 40) : value;

// ---------- asking

/** What fetch answers, without the time that a real answer takes to be read. */
function responseOf({ status, text, json, scene, base64 }) {
  const words = json === undefined ? (text ?? "") : JSON.stringify(json),
    raw = scene ? whole(scene) : Buffer.from(base64 ?? words, base64 ? "base64" : "utf8");
  return {
    ok: status < 400,
    status,
    headers: new Headers(),
    text: async () => words,
    json: async () => JSON.parse(words),
    arrayBuffer: async () => Uint8Array.from(raw).buffer,
    blob: async () => new Blob([raw]),
  };
}

/** @param {Response} response */
async function recorded(response) {
  const { status, headers } = response,
    type = headers.get("content-type") ?? "",
    raw = Buffer.from(await response.arrayBuffer());
  if (/json/.test(type)) return { status, json: JSON.parse(raw.toString(), plain) };
  if (/text/.test(type)) return { status, text: raw.toString() };
  if (/octet-stream|safetensors/.test(type)) return { status, scene: kept(raw) };
  return { status, base64: raw.subarray(0, 64).toString("base64") };
}

/**
 * @param {string | string[]} names of the files of answers; what is recorded goes into the first
 * @param {(key: string) => object | undefined} [own] answers of the test's own
 * @param {number} [each] answers of an address that differ in their query and are kept
 */
export function serve(names, own = () => undefined, each = 3) {
  const [file, ...others] = [names]
      .flat()
      .map((name) => new URL(`answers/${name}.json`, import.meta.url)),
    read = (one) => (existsSync(one) ? JSON.parse(readFileSync(one, "utf8")) : {}),
    held = read(file),
    answers = Object.assign({}, ...others.map(read), held),
    real = globalThis.fetch;
  const placeOf = (key) => [key.split("?")[0], /form=\w+/.exec(key)?.[0]].join(),
    like = (key) => Object.keys(answers).filter((one) => placeOf(one) === placeOf(key));
  globalThis.fetch = async (url, { method = "GET", body, signal } = {}) => {
    const said = typeof body === "string" ? ` ${body}` : body ? " (a file)" : "",
      key = `${method} ${url}${said}`;
    note(`asks ${key}`);
    signal?.throwIfAborted();
    const answer = url.startsWith("data:") ? { status: 200 } : (own(key) ?? answers[key]);
    if (answer) return responseOf(answer);
    if (process.env.RECORD && like(key).length < each) {
      const asked = real(`${process.env.RECORD}/${url}`, { method, body }).then(recorded);
      held[key] = answers[key] = await onItsWay(asked);
      const sorted = Object.entries(held).sort(([a], [b]) => (a < b ? -1 : 1));
      const lines = sorted.map((pair) => pair.map((one) => JSON.stringify(one)).join(": "));
      writeFileSync(file, `{\n${lines.join(",\n")}\n}\n`);
      return responseOf(answers[key]);
    }
    const near = like(key).at(-1);
    return responseOf(near ? answers[near] : { status: 422, text: "Nothing of this is recorded." });
  };
}
