/* Gradio's events over a server that dies and is started anew, with Gradio's own addresses. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createConnection } from "../page/connection.js";
import { NetworkError } from "../page/errors.js";
import { createTransport } from "../page/gradio-transport.js";

const ROOT = "http://site/gradio_api";
const SESSION = { method: "POST", body: JSON.stringify({ session_hash: "s", data: ["a"] }) };

/** A server with Gradio's queue, which the test starts and kills. */
function createServer() {
  const seen = /** @type {string[]} */ ([]),
    bodies = /** @type {string[]} */ ([]);
  let process = 0,
    cancelled = 0,
    up = true;
  /** @type {ReadableStreamDefaultController | null} */
  let stream = null;
  const encoder = new TextEncoder();

  /** @type {import("../page/gradio-transport.js").Fetch} */
  const send = async (input, init) => {
    const request = input instanceof Request ? input : new Request(input, init);
    const path = request.url.replace(`${ROOT}/`, "").split("?")[0] ?? "";
    if (!up) throw new TypeError("Failed to fetch");
    seen.push(path);
    if (path === "queue/join") {
      bodies.push(await request.text());
      return Response.json({ event_id: `${process}-${bodies.length}` });
    }
    if (path === "upload") return Response.json([`/tmp/${process}/x.png`]);
    if (path === "queue/data" || path.startsWith("heartbeat"))
      return new Response(
        new ReadableStream({
          start: (one) => void (stream = one),
          cancel: () => void (cancelled += 1),
        }),
      );
    return new Response("else");
  };
  return {
    send,
    seen,
    bodies,
    server: () => String(process),
    get up() {
      return up;
    },
    /** @param {object | string} message */
    say(message) {
      const data = typeof message === "string" ? message : JSON.stringify(message);
      stream?.enqueue(encoder.encode(`data: ${data}\n\n`));
    },
    get cancelled() {
      return cancelled;
    },
    kill() {
      up = false;
      stream?.error(new TypeError("network error"));
    },
    start() {
      up = true;
      process += 1;
    },
  };
}

function page() {
  const server = createServer(),
    kept = /** @type {string[]} */ ([]);
  const connection = createConnection({
    ask: async () => {
      if (!server.up) throw new NetworkError();
      return {};
    },
    recover: async () => true,
    tell: () => {},
    sleep: settled,
  });
  const uploads = {
    keep: (/** @type {string} */ path) => void kept.push(path),
    server: server.server,
  };
  const fetch = createTransport({ send: server.send, connection, uploads, sleep: settled });
  return { server, fetch, kept, join: (init = SESSION) => fetch(`${ROOT}/queue/join?`, init) };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

/** What Gradio reads of a stream, message by message. @param {Response} response */
function reading(response) {
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  return {
    async next() {
      const { value } = (await reader?.read()) ?? {};
      return value && JSON.parse(value.slice("data: ".length));
    },
    cancel: () => reader?.cancel(),
  };
}

const listen = (/** @type {ReturnType<typeof page>} */ { fetch }, signal = new AbortController()) =>
  fetch(new Request(`${ROOT}/queue/data?session_hash=s`, { signal: signal.signal })).then(reading);

test("what is not Gradio's goes through as it is", async () => {
  const { fetch, server } = page();
  assert.equal(await (await fetch("http://site/view/k/strip")).text(), "else");
  server.kill();
  await assert.rejects(fetch("http://site/view/k/strip"), TypeError);
  await assert.rejects(fetch(`${ROOT}/app_id`), TypeError);
});

for (const status of [502, 504])
  test(`a proxy that finds no server (${status}) is no answer`, async () => {
    const one = page(),
      before = one.server.send;
    let asked = 0;
    const send = async (/** @type {any} */ input, /** @type {any} */ init) =>
      asked++ ? before(input, init) : new Response("Bad gateway", { status });
    const connection = createConnection({
      ...{ ask: async () => ({}), recover: async () => true, tell: () => {}, sleep: settled },
    });
    const uploads = { keep: () => {}, server: () => "0" };
    const fetch = createTransport({ send, connection, uploads, sleep: settled });
    const answer = await fetch(`${ROOT}/queue/join?`, SESSION);
    assert.deepEqual([await answer.json(), asked], [{ event_id: "0-1" }, 2]);
  });

test("an event waits for a server that is away", async () => {
  const one = page();
  one.server.kill();
  const joined = one.join();
  await settled();
  one.server.start();
  assert.deepEqual(await (await joined).json(), { event_id: "1-1" });
});

test("an event whose server dies is answered by the next, under the name that Gradio knows", async () => {
  const one = page();
  await one.join();
  const stream = await listen(one);
  one.server.say({ msg: "estimation", event_id: "0-1" });
  assert.equal((await stream.next()).msg, "estimation");
  one.server.kill();
  await settled();
  one.server.start();
  while (one.server.bodies.length < 2) await settled();
  assert.equal(one.server.bodies[1], SESSION.body);
  while (one.server.seen.filter((path) => path === "queue/data").length < 2) await settled();
  one.server.say({ msg: "process_completed", event_id: "1-2", output: { data: [7] } });
  one.server.say({ msg: "close_stream" });
  assert.deepEqual(await stream.next(), {
    ...{ msg: "process_completed", event_id: "0-1", output: { data: [7] } },
  });
  assert.equal((await stream.next()).msg, "close_stream");
  await settled();
  assert.equal(one.server.cancelled, 1, "its connection is let go of");
  assert.equal(await stream.next(), undefined, "the stream has ended");
});

test("a process that does not know the session is another one", async () => {
  const one = page();
  await one.join();
  const stream = await listen(one);
  await settled();
  one.server.say({ msg: "unexpected_error", session_not_found: true });
  while (one.server.bodies.length < 2) await settled();
  while (one.server.seen.filter((path) => path === "queue/data").length < 2) await settled();
  one.server.say({ msg: "process_completed", event_id: "0-2" });
  assert.deepEqual(await stream.next(), { msg: "process_completed", event_id: "0-1" });
});

test("an event that servers die of is given up", async () => {
  const one = page();
  await one.join();
  const stream = await listen(one);
  for (let opened = 1; opened <= 3; opened += 1) {
    while (one.server.seen.filter((path) => path === "queue/data").length < opened) await settled();
    one.server.kill();
    await settled();
    one.server.start();
  }
  const { msg, event_id: id, output } = await stream.next();
  assert.deepEqual([msg, id], ["process_completed", "0-1"]);
  assert.match(output.error, /did not answer/);
  assert.equal(one.server.bodies.length, 3);
});

test("Gradio lets go of a stream, and nobody asks on", async () => {
  const one = page(),
    letGo = new AbortController(),
    stream = await listen(one, letGo);
  await settled();
  const { length } = one.server.seen;
  letGo.abort();
  one.server.kill();
  assert.equal(await stream.next(), undefined);
  one.server.start();
  for (let i = 0; i < 5; i += 1) await settled();
  assert.equal(one.server.seen.length, length);
});

test("the heartbeat goes on with the next process", async () => {
  const one = page();
  const beat = reading(await one.fetch(`${ROOT}/heartbeat/s`));
  for (let i = 0; i < 3; i += 1) {
    one.server.say("ALIVE"); // which is no JSON
    assert.equal((await beat.next()).msg, "ALIVE");
  }
  for (let i = 0; i < 20; i += 1) await settled();
  assert.deepEqual(one.server.seen, ["heartbeat/s"], "one connection for all of them");
  one.server.kill();
  await settled();
  one.server.start();
  while (one.server.seen.length < 2) await settled();
  await beat.cancel();
  one.server.kill();
  for (let i = 0; i < 5; i += 1) await settled();
  assert.deepEqual(one.server.seen, ["heartbeat/s", "heartbeat/s"]);
});

test("a file is sent again to a server that was started anew, before it is opened there", async () => {
  const one = page(),
    body = new FormData();
  body.append("files", new File(["x"], "x.png"));
  const opening = { method: "POST", body: JSON.stringify({ data: ["/tmp/0/x.png"] }) };
  await one.fetch(`${ROOT}/upload?upload_id=1`, { method: "POST", body });
  await one.join(opening);
  assert.deepEqual(one.server.seen, ["upload", "queue/join"]);
  one.server.kill();
  one.server.start();
  await one.join(SESSION);
  assert.equal(one.server.seen.filter((path) => path === "upload").length, 1, "nobody asks for it");
  await one.join(opening);
  assert.equal(one.server.seen.filter((path) => path === "upload").length, 2);
  assert.equal(one.server.bodies.at(-1), JSON.stringify({ data: ["/tmp/1/x.png"] }));
  assert.deepEqual(one.kept, ["/tmp/0/x.png", "/tmp/1/x.png"]);
  await one.join(opening);
  assert.equal(one.server.bodies.at(-1), JSON.stringify({ data: ["/tmp/1/x.png"] }));
  assert.equal(one.server.seen.filter((path) => path === "upload").length, 2, "it has it now");
});
