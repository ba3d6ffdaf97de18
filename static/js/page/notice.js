/* One line below the strip, always in sight, that moves nothing and covers nothing: what holds for
   the whole page for a while. */
import { el } from "../ui/dom.js";

/** @type {HTMLElement | null} */
let line = null;

/** @param {string} sentence empty: no longer */
export function showNotice(sentence) {
  line ??= el("p", { id: "inside-notice", role: "status" });
  const place = document.getElementById("view-strip");
  if (place && line.parentElement !== place) place.append(line);
  if (line.textContent !== sentence) line.textContent = sentence;
}
