/* The keys that a picture understands, told to everyone. */
import { el } from "./dom.js";

/** @typedef {readonly (readonly [keys: string, meaning: string])[]} KeyHints */

/** A quiet line under a picture. @param {KeyHints} hints */
export const keyHints = (hints) =>
  el(
    "p",
    { class: "inside-keys" },
    ...hints.flatMap(([keys, meaning]) => [el("kbd", { text: keys }), ` ${meaning} `]),
  );

/** The same for who does not see it. @param {KeyHints} hints */
export const keysSentence = (hints) =>
  hints.map(([keys, meaning]) => `${keys}: ${meaning}`).join(", ");
