/* Whether the server answers. Nobody asks for that while it does: a request that gets no answer, or a
   stream that breaks, is the sign. Then the page says so in one sentence and asks the server who it
   is, more and more seldom, until it answers; has what it had open opened again (reopening.js); and
   what was asked for meanwhile is asked once more. What is slow is waited for: that is no sign. */
import { NetworkError } from "./errors.js";
import { showNotice } from "./notice.js";
import * as reopening from "./reopening.js";

const LONGEST = 15_000; // ms between two questions
const PATIENCE = 10_000; // ms for an answer of a server that was away; one that is slow has all the time
const FRESH = 2000; // ms after an answer in which nobody doubts the next one
const KNOCKED = "Asked anew";
const TRIES = 3; // of a request that alone gets no answer
const AWAY =
  "The server does not answer. What is shown stays, and this page goes on as soon as it is back.";

/** @typedef {"here" | "away" | "outdated"} State outdated: it is another one, and the page too old for it */

/**
 * ms until the next question: 1, 2, 4, 8, 15 s, and somewhat less, so that many pages do not ask as one.
 *
 * @param {number} attempt from 0
 * @param {number} [random] 0 to 1
 */
export const pause = (attempt, random = Math.random()) =>
  Math.min(1000 * 2 ** attempt, LONGEST) * (1 - 0.2 * random);

/**
 * @template Identity
 * @param {object} parts
 * @param {(signal: AbortSignal) => Promise<Identity>} parts.ask who it is; NetworkError where it does not say
 * @param {(identity: Identity) => Promise<boolean>} parts.recover what was open is opened again;
 *   false: the page cannot go on with this server
 * @param {(state: State) => void} parts.tell
 * @param {(ms: number) => Promise<unknown>} [parts.sleep]
 * @param {() => number} [parts.now] ms
 */
export function createConnection({ ask, recover, tell, sleep = wait, now = Date.now }) {
  /** @type {State} */
  let state = "here";
  /** @type {Promise<void> | null} */
  let finding = null;
  let wake = () => {};
  let asking = new AbortController();
  let heard = now();
  /** @type {Set<(away: boolean) => void>} */
  const doubtful = new Set();

  /** @param {State} next */
  function become(next) {
    if (state !== next) tell(next);
    state = next;
    for (const answer of doubtful) answer(next !== "here");
    doubtful.clear();
  }

  /** Who the server is. NetworkError where it does not say. */
  async function askOnce() {
    const question = (asking = new AbortController());
    const timer = state === "away" ? setTimeout(() => question.abort(), PATIENCE) : undefined;
    try {
      return await ask(question.signal);
    } finally {
      clearTimeout(timer);
    }
  }

  async function find() {
    for (let attempt = 0; ; attempt += 1) {
      try {
        if (await recover(await askOnce())) break;
        become("outdated");
        await new Promise(() => {}); // until the page is loaded again
      } catch (error) {
        if (!(error instanceof NetworkError)) throw error;
        if (asking.signal.reason === KNOCKED) continue; // which says nothing of the server
      }
      become("away");
      /** @type {Promise<void>} */
      const woken = new Promise((resolve) => (wake = resolve));
      await Promise.race([sleep(pause(attempt)), woken]);
    }
  }

  /** There was no answer: resolves as soon as the server is known to be there. */
  function lost() {
    finding ??= find()
      .catch((error) => globalThis.reportError(error))
      .finally(() => {
        finding = null;
        heard = now();
        become("here");
      });
    return finding;
  }

  /** Resolves when the server has answered lately, or does so now. */
  const sure = () => (finding || now() - heard > FRESH ? lost() : Promise.resolve());

  /** Whether the server is away, once that is clear. A request got no answer. */
  async function isAway() {
    if (state !== "here") return true;
    /** @type {Promise<boolean>} */
    const answer = new Promise((resolve) => doubtful.add(resolve));
    void lost();
    return answer;
  }

  /**
   * Does what may be done twice until there is an answer. NetworkError where the server answers
   * everything but this.
   *
   * @template Result
   * @param {() => Promise<Result>} work
   * @param {AbortSignal | null} [signal]
   * @returns {Promise<Result>}
   */
  async function patiently(work, signal) {
    for (let tries = 1; ; tries += 1) {
      if (finding) await unlessAborted(finding, signal);
      try {
        const result = await work();
        heard = now();
        return result;
      } catch (error) {
        if (!(error instanceof NetworkError) || tries === TRIES) throw error;
        if (await unlessAborted(isAway(), signal)) tries = 0;
      }
    }
  }

  return {
    lost,
    sure,
    isAway,
    patiently,
    /** Something has changed about this machine or its network: a new question is asked now. */
    knock() {
      asking.abort(KNOCKED);
      wake();
      void sure();
    },
  };
}

const wait = (/** @type {number} */ ms) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * @template Result
 * @param {Promise<Result>} promise
 * @param {AbortSignal | null} [signal]
 * @returns {Promise<Result>}
 */
function unlessAborted(promise, signal) {
  if (!signal) return promise;
  return new Promise((resolve, reject) => {
    const abort = () => reject(new DOMException("Given up by the page", "AbortError"));
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}

// ---------- the page's own connection

export const connection = createConnection({
  ask: reopening.ask,
  recover: reopening.recover,
  tell: (state) => showNotice(state === "away" ? AWAY : "", { topic: "server" }),
});

/** Listens for what is likely to have changed something: the network, a lid that was closed. */
export function watchConnection() {
  for (const event of ["online", "offline", "pageshow"]) addEventListener(event, connection.knock);
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") connection.knock();
  });
}
