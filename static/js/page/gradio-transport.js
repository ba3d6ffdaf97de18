/* Gradio's requests, carried over a server that goes away and comes back. Gradio itself gives up for
   good when an answer does not come: it covers the page with "Connection Lost", and loads it anew.
   Here an event is sent again until it is answered, in whichever process; the stream on which Gradio
   hears the answers is one stream to Gradio, whatever becomes of the connections behind it.

   An event may be worked on twice: whatever the page's handlers do can be done again. */
import { pause } from "./connection.js";
import { NetworkError } from "./errors.js";

const ROOT = "/gradio_api/";
const TRIES = 3; // of an event: it may be what the server dies of
const LASTING = 20_000; // ms
const NO_ANSWER = "The server did not answer.";

/** @typedef {(input: RequestInfo | URL, init?: RequestInit) => Promise<Response>} Fetch */

/**
 * @typedef {object} Message of Gradio's stream
 * @property {string} [msg]
 * @property {string} [event_id]
 * @property {boolean} [session_not_found]
 */

/**
 * @typedef {object} GradioEvent that has been sent and not yet answered
 * @property {string} id as Gradio knows it
 * @property {RequestInfo | URL} input
 * @property {RequestInit | undefined} init
 * @property {number} tries
 */

/**
 * @typedef {object} Uploads of the visitor's files
 * @property {(path: string, file: File) => void} keep the server has put a file there
 * @property {() => string} server the process that answered last
 */

/**
 * A `fetch` for the whole page. What is not Gradio's goes through as it is.
 *
 * @param {object} parts
 * @param {Fetch} parts.send the browser's own
 * @param {Pick<typeof import("./connection.js").connection, "lost" | "sure" | "patiently">} parts.connection
 * @param {Uploads} parts.uploads
 * @param {(ms: number) => Promise<unknown>} [parts.sleep]
 * @returns {Fetch}
 */
export function createTransport({ send, connection, uploads, sleep = wait }) {
  /** @type {Fetch} */
  const reach = async (input, init) => {
    const response = await send(input, init).catch((error) => {
      throw error?.name === "AbortError" ? error : new NetworkError(error);
    });
    if (response.status === 502 || response.status === 504) throw new NetworkError();
    return response;
  };
  const files = createFiles(reach, uploads),
    events = createEvents(reach, files.renew);

  /** @type {Record<string, (input: RequestInfo | URL, init?: RequestInit) => Promise<Response>>} */
  const carried = {
    async "queue/join"(input, init) {
      await connection.sure(); // Python hears of no picture that it does not have
      return connection.patiently(() => events.begin(input, init));
    },
    upload: (input, init) => connection.patiently(() => files.upload(input, init)),
    "queue/data": (input, init) =>
      streamed(input, init, async (signal, out) => {
        for (;;) {
          if (await events.follow(() => reach(again(input, signal), init), out)) return;
          if (signal.aborted) return;
          await connection.lost();
          await connection.patiently(() => events.resume(out));
        }
      }),
    heartbeat: (input, init) =>
      streamed(input, init, async (signal, out) => {
        const beat = (/** @type {string} */ data) => out({ msg: data });
        for (let attempt = 0; !signal.aborted; attempt += 1) {
          const begun = Date.now();
          await hearOut(() => reach(again(input, signal), init), beat);
          if (signal.aborted) return;
          await connection.lost();
          if (Date.now() - begun > LASTING) attempt = 0; // some proxies end whatever is quiet
          await sleep(pause(attempt));
        }
      }),
  };

  return (input, init) => {
    const address = input instanceof Request ? input.url : String(input);
    const name = address.split("?")[0]?.split(ROOT)[1] ?? "";
    const carry = carried[name.startsWith("heartbeat/") ? "heartbeat" : name];
    return carry ? carry(input, init) : send(input, init);
  };
}

const wait = (/** @type {number} */ ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** A request for another connection. @param {RequestInfo | URL} input @param {AbortSignal} signal */
const again = (input, signal) =>
  new Request(input instanceof Request ? input.clone() : input, { signal });

// ---------- files

/**
 * @typedef {object} Sent a file that was uploaded
 * @property {File} file
 * @property {RequestInfo | URL} input where it was sent
 * @property {string} path where the server has it now
 * @property {string} server the process that has it
 */

/**
 * The files that were uploaded: a server that was started anew has to be sent them again before it
 * opens them.
 *
 * @param {Fetch} reach
 * @param {Uploads} uploads
 */
function createFiles(reach, { keep, server }) {
  /** @type {Map<string, Sent>} by the path that Gradio knows; the last one only */
  const sent = new Map();

  /** @param {RequestInfo | URL} input @param {RequestInit} [init] */
  async function upload(input, init) {
    const response = await reach(input, init);
    const file = init?.body instanceof FormData ? init.body.get("files") : null;
    if (!response.ok || !(file instanceof File)) return response;
    const [path] = await response.clone().json().catch(noAnswer);
    sent.clear();
    sent.set(path, { file, input, path, server: server() });
    keep(path, file);
    return response;
  }

  /** @param {Sent} one */
  async function sendAgain(one) {
    const body = new FormData();
    body.append("files", one.file);
    const response = await reach(one.input, { method: "POST", body });
    if (!response.ok) return; // Python will say that it does not have it
    [one.path] = await response.json().catch(noAnswer);
    one.server = server();
    keep(one.path, one.file);
  }

  /** An event with the paths that the server knows its files by. @param {RequestInit} [init] */
  async function renew(init) {
    for (const [path, one] of sent) {
      if (typeof init?.body !== "string" || !init.body.includes(inJson(path))) continue;
      if (one.server !== server()) await sendAgain(one);
      return { ...init, body: init.body.replaceAll(inJson(path), inJson(one.path)) };
    }
    return init;
  }
  return { upload, renew };
}

/** @param {string} text */
const inJson = (text) => JSON.stringify(text).slice(1, -1);

/** @param {unknown} error @returns {never} */
function noAnswer(error) {
  throw new NetworkError(error);
}

// ---------- events, and the stream of their answers

/**
 * @param {Fetch} reach
 * @param {(init?: RequestInit) => Promise<RequestInit | undefined>} renew
 */
function createEvents(reach, renew) {
  /** @type {Map<string, GradioEvent>} by what the server calls them now */
  const pending = new Map();

  /** @param {RequestInfo | URL} input @param {RequestInit} [init] */
  async function join(input, init) {
    const response = await reach(input, await renew(init));
    /** @type {{ event_id?: string }} */
    const { event_id: id } = response.ok ? await response.clone().json().catch(noAnswer) : {};
    return { response, id };
  }

  return {
    /** Sends an event. @param {RequestInfo | URL} input @param {RequestInit} [init] */
    async begin(input, init) {
      const { response, id } = await join(input, init);
      if (id) pending.set(id, { id, input, init, tries: 1 });
      return response;
    },

    /** Sends what has not been answered once more. @param {(message: Message) => void} out */
    async resume(out) {
      for (const [before, event] of [...pending]) {
        const tired = event.tries >= TRIES,
          id = tired ? undefined : (await join(event.input, event.init)).id;
        pending.delete(before);
        if (id) pending.set(id, { ...event, tries: event.tries + 1 });
        else out(refusal(event.id));
      }
    },

    /**
     * Hands on what a stream says. True when all is said, false when the stream breaks before.
     *
     * @param {() => Promise<Response>} open
     * @param {(message: Message) => void} out
     */
    async follow(open, out) {
      let isClosed = false;
      await hearOut(open, (data) => {
        /** @type {Message} */
        const message = JSON.parse(data);
        if (message.session_not_found) return true; // the process that knew of it is gone
        const event = pending.get(message.event_id ?? "");
        if (event && message.msg === "process_completed") pending.delete(message.event_id ?? "");
        out(event ? { ...message, event_id: event.id } : message);
        isClosed = message.msg === "close_stream";
        return isClosed;
      });
      if (isClosed) return true;
      if (pending.size) return false;
      out({ msg: "close_stream" });
      return true;
    },
  };
}

/** What Gradio hears of an event that nobody answers. @param {string} id */
const refusal = (id) => ({
  msg: "process_completed",
  event_id: id,
  success: false,
  output: { error: NO_ANSWER },
});

/**
 * Hears a stream to its end, however it ends, or until `take` has enough. Its connection is let go of:
 * a browser has few of them.
 *
 * @param {() => Promise<Response>} open
 * @param {(data: string) => boolean | void} take
 */
async function hearOut(open, take) {
  /** @type {ReadableStreamDefaultReader<string> | undefined} */
  let reader;
  try {
    const { body } = await open();
    reader = body?.pipeThrough(new TextDecoderStream()).getReader();
    for (let text = ""; reader;) {
      const { done, value } = await reader.read();
      if (done) break;
      const parts = (text + value).split("\n\n");
      text = parts.pop() ?? "";
      for (const part of parts)
        if (part.startsWith("data:") && take(part.slice("data:".length).trim())) return;
    }
  } catch {
    // broken off, like any other end
  } finally {
    void reader?.cancel().catch(() => {});
  }
}

/**
 * A response that goes on until `work` has ended, or Gradio lets go of it.
 *
 * @param {RequestInfo | URL} input
 * @param {RequestInit | undefined} init
 * @param {(signal: AbortSignal, out: (message: Message) => void) => Promise<void>} work
 */
async function streamed(input, init, work) {
  const ended = new AbortController(),
    given = init?.signal ?? (input instanceof Request ? input.signal : null),
    encoder = new TextEncoder();
  let cancelled = false;
  const body = new ReadableStream({
    async start(controller) {
      given?.addEventListener("abort", () => ended.abort(), { once: true });
      const out = (/** @type {Message} */ message) => {
        if (!ended.signal.aborted)
          controller.enqueue(encoder.encode(`data: ${JSON.stringify(message)}\n\n`));
      };
      await work(ended.signal, out).catch((error) => globalThis.reportError(error));
      if (!cancelled) controller.close();
    },
    cancel() {
      cancelled = true;
      ended.abort();
    },
  });
  return new Response(body, { headers: { "Content-Type": "text/event-stream" } });
}
