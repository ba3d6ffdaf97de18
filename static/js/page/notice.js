/* One line below the strip, always in sight, that moves nothing and covers nothing: what holds for
   the whole page for a while. */
import { el } from "../ui/dom.js";

/** The more important first. */
const KINDS = /** @type {const} */ (["away", "late"]);

/** @type {Partial<Record<typeof KINDS[number], string | null>>} */
const sentences = {};
/** @type {HTMLElement | null} */
let line = null;

/**
 * @param {typeof KINDS[number]} kind
 * @param {string | null} sentence null: no longer
 */
export function say(kind, sentence) {
  sentences[kind] = sentence;
  line ??= el("p", { id: "inside-notice", role: "status" });
  const place = document.getElementById("view-strip");
  if (place && line.parentElement !== place) place.append(line);
  const text = KINDS.map((one) => sentences[one]).find(Boolean) ?? "";
  if (line.textContent !== text) line.textContent = text;
}
