/* What can go wrong, and what a visitor is told. A `Problem` is told in its own sentence; whatever
   else is thrown is a fault of the page, and is called one. */
import { el } from "../ui/dom.js";

/** Something to tell the visitor, in one sentence. */
export class Problem extends Error {}

/** The server says no: its own sentence. */
export class ServerError extends Problem {
  /**
   * @param {string} sentence
   * @param {number} status of HTTP
   */
  constructor(sentence, status) {
    super(sentence || `The server answered with an error (${status}).`);
    this.status = status;
  }
}

/** No answer came. `isTold`: because the server is away, which the page says already. */
export class NetworkError extends Problem {
  /** @param {unknown} [cause] @param {boolean} [isTold] */
  constructor(cause, isTold = false) {
    super("The server did not answer.", { cause });
    this.isTold = isTold;
  }
}

/** What the visitor gave cannot be used. */
export class InputError extends Problem {}

/** Something is wanted of a view that has nothing to show yet. */
export class NotShownYet extends Problem {
  constructor() {
    super("Nothing is shown yet.");
  }
}

/**
 * @param {unknown} error
 * @returns {string} what to tell the visitor; empty where the page says it already
 */
export function sentenceOf(error) {
  if (error instanceof NetworkError && error.isTold) return "";
  if (error instanceof Problem) return error.message;
  return `This view has a fault: ${error instanceof Error ? error.message : String(error)}`;
}

/**
 * Runs the work of a view; says on the view what went wrong, and keeps what it shows. False when
 * something did.
 *
 * @param {HTMLElement} root the view
 * @param {() => unknown} work
 */
export async function run(root, work) {
  const forget = () => root.querySelector(":scope > .inside-problem")?.remove();
  try {
    await work();
    forget();
    root.classList.remove("waiting");
    return true;
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") return true; // the view gave up
    forget();
    const text = sentenceOf(error);
    if (text) root.prepend(el("p", { class: "inside-problem", role: "alert", text }));
    if (error instanceof Problem) console.warn(error);
    else globalThis.reportError(error);
    return false;
  }
}
