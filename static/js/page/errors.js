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

/** No answer came. */
export class NetworkError extends Problem {
  /** @param {unknown} [cause] */
  constructor(cause) {
    super("The server did not answer.", { cause });
  }
}

/** What the visitor gave cannot be used. */
export class InputError extends Problem {}

/**
 * @param {unknown} error
 * @returns {string} what to tell the visitor
 */
export function sentenceOf(error) {
  if (error instanceof Problem) return error.message;
  return `This view has a fault: ${error instanceof Error ? error.message : String(error)}`;
}

/**
 * Runs the work of a view; says on the view what went wrong, and keeps what it shows.
 *
 * @param {HTMLElement} root the view: `data-ready` is set when the work went well
 * @param {() => unknown} work
 */
export async function run(root, work) {
  const forget = () => root.querySelector(":scope > .inside-problem")?.remove();
  try {
    await work();
    forget();
    root.classList.remove("waiting");
    root.setAttribute("data-ready", "");
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") return; // given up by the view
    forget();
    root.prepend(el("p", { class: "inside-problem", role: "alert", text: sentenceOf(error) }));
    if (error instanceof Problem) console.warn(error);
    else globalThis.reportError(error);
  }
}

/** Whether the last `run` on a view went wrong. @param {HTMLElement} root */
export const hasProblem = (root) => root.querySelector(":scope > .inside-problem") !== null;
