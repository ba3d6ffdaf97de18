/* Scenes as Python writes them, the cache of the newest, and what a refusal becomes. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { afterEach, test } from "node:test";
import { InputError, NetworkError, sentenceOf, ServerError } from "../page/errors.js";
import {
  createCache,
  fetchScene,
  parseScene,
  request,
  requestJson,
  sceneUrl,
} from "../page/scenes.js";
import { settings } from "../settings.js";

const file = await readFile(new URL("scene.safetensors", import.meta.url));
const buffer = file.buffer.slice(file.byteOffset, file.byteOffset + file.byteLength);
const realFetch = globalThis.fetch;

/** @param {(url: string) => Promise<Response>} answer */
const serve = (answer) => {
  globalThis.fetch = /** @type {typeof fetch} */ (/** @type {unknown} */ (answer));
};
afterEach(() => {
  globalThis.fetch = realFetch;
});

test("a scene written by Python", () => {
  const scene = parseScene(buffer);
  assert.deepEqual(scene.facts, { title: "Zwölf · 十二", grid: [2, 3], missing: null });
  const numbers = Float32Array.of(0.5, -1.25, NaN, Infinity, 1e-20, 3);
  assert.deepEqual(
    { ...scene, facts: null, shapes: null },
    {
      facts: null,
      shapes: null,
      numbers,
      bytes: Uint8Array.of(250, 251, 252, 253, 254, 255),
      whole: Int32Array.of(-(2 ** 31), 2 ** 31 - 1),
      yes: Uint8Array.of(1, 0, 1),
      "parts.0": Uint8Array.of(7),
      "parts.1": Int32Array.of(8, 9),
    },
  );
  assert.deepEqual(scene.shapes.numbers, [2, 3]);
  assert.deepEqual(scene.shapes["parts.1"], [2]);
});

test("a scene that is cut off is a fault, and no network failure", () => {
  assert.throws(
    () => parseScene(buffer.slice(0, 200)),
    (error) => {
      assert.match(sentenceOf(error), /^This view has a fault: /);
      return true;
    },
  );
});

test("the cache keeps what was used last", () => {
  const cache = createCache(2);
  cache.set("a", 1);
  cache.set("b", 2);
  assert.equal(cache.get("a"), 1); // now b is the oldest
  cache.set("c", 3);
  assert.equal(cache.get("b"), undefined);
  assert.deepEqual([cache.get("a"), cache.get("c"), cache.size], [1, 3, 2]);
  cache.set("a", 4); // set again: not counted twice
  assert.deepEqual([cache.get("a"), cache.get("c"), cache.size], [4, 3, 2]);
  cache.delete("a");
  assert.deepEqual([cache.get("a"), cache.size], [undefined, 1]);
});

test("a scene is asked for once, and again after a failure", async () => {
  let asked = 0;
  serve(
    async () =>
      new Response(++asked === 1 ? "not yet" : buffer, { status: asked === 1 ? 503 : 200 }),
  );
  await assert.rejects(fetchScene("view/k/a"), ServerError);
  const scene = await fetchScene("view/k/a");
  assert.deepEqual(scene.shapes.bytes, [6]);
  assert.equal(await fetchScene("view/k/a"), scene);
  assert.equal(asked, 2);
});

test("a refusal is the server's own sentence", async () => {
  serve(
    async () => new Response("This picture is no longer kept: open it again.", { status: 404 }),
  );
  await assert.rejects(request("view/k/a"), (error) => {
    assert.ok(error instanceof ServerError);
    assert.equal(error.status, 404);
    assert.equal(sentenceOf(error), "This picture is no longer kept: open it again.");
    return true;
  });
  serve(async () => new Response("", { status: 500 }));
  await assert.rejects(request("view/k/a"), {
    message: "The server answered with an error (500).",
  });
});

/** A server that says who it is, and whatever else. @param {(url: string) => Promise<Response>} answer */
const serveBeside = (answer) =>
  serve((url) =>
    url === "identity" ? Promise.resolve(Response.json(settings.identity)) : answer(url),
  );

test("no answer, or one that is cut off, is the network's doing", async () => {
  let asked = 0;
  serveBeside(() => {
    asked += 1;
    return Promise.reject(new TypeError("Failed to fetch"));
  });
  const words = { name: "Error", message: "The server did not answer." };
  await assert.rejects(request("runs"), words);
  assert.equal(asked, 3, "what only reads is asked for again");
  await assert.rejects(request("runs", { method: "POST" }), { ...words, isTold: false });
  assert.equal(asked, 4, "what does something is not done twice");
  await assert.rejects(fetchScene("view/k/b"), NetworkError);
  const broken = () =>
    new ReadableStream({ start: (stream) => stream.error(new TypeError("network error")) });
  serveBeside(async () => new Response(broken()));
  await assert.rejects(requestJson("runs"), NetworkError);
  await assert.rejects(fetchScene("view/k/c"), NetworkError);
});

test("an answer that is cut off is asked for again", async () => {
  let asked = 0;
  const cut = () =>
    new ReadableStream({ start: (stream) => stream.error(new TypeError("network error")) });
  serveBeside(async () => new Response(++asked === 1 ? cut() : buffer));
  const scene = await fetchScene("view/k/cut");
  assert.deepEqual(scene.shapes.bytes, [6]);
  asked = 0;
  serveBeside(async () => (++asked === 1 ? new Response("", { status: 502 }) : Response.json(7)));
  assert.equal(await requestJson("runs"), 7, "a proxy says it in its own way");
});

test("whoever gives a request up is told so, and not of a failure", async () => {
  serve(() => Promise.reject(new DOMException("given up", "AbortError")));
  await assert.rejects(request("runs"), { name: "AbortError" });
});

test("a fault of the page is called one", async () => {
  assert.equal(sentenceOf(new InputError("Too large.")), "Too large.");
  assert.equal(
    sentenceOf(new TypeError("x is not a function")),
    "This view has a fault: x is not a function",
  );
  serve(async () => new Response("<html>"));
  await assert.rejects(requestJson("runs"), SyntaxError);
});

test("the address of a scene", () => {
  assert.equal(sceneUrl("k", "strip"), "view/k/strip");
  assert.equal(
    sceneUrl("k", "crops", { seed: 0, blur: "as run", flip: false }),
    "view/k/crops?seed=0&blur=as+run&flip=false",
  );
});
