/* One line below the strip, always in sight, that moves nothing and covers nothing: what holds for
   the whole page for a while. Of several sentences the most important one stands there. */
import { el } from "../ui/dom.js";

const TOPICS = /** @type {const} */ (["page", "server", "picture", "late"]); // the first counts most

/** @typedef {typeof TOPICS[number]} Topic */

/** @type {HTMLElement | null} */
let line = null;
/** @type {Map<Topic, (string | HTMLElement)[]>} a sentence, and what stands beside it */
const said = new Map();

/**
 * @param {string} sentence empty: no longer
 * @param {{ topic: Topic, action?: HTMLElement }} about `action`: a button beside the sentence
 */
export function showNotice(sentence, { topic, action }) {
  if (sentence) said.set(topic, action ? [sentence, " ", action] : [sentence]);
  else said.delete(topic);
  line ??= el("p", { id: "inside-notice", role: "status" });
  const place = document.getElementById("view-strip");
  if (place && line.parentElement !== place) place.append(line);
  const first = TOPICS.find((one) => said.has(one)),
    parts = (first && said.get(first)) ?? [];
  if (parts[0] !== (line.firstChild?.textContent ?? undefined)) line.replaceChildren(...parts);
}
