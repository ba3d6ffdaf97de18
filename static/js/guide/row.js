/* The way into the path, in the row below the strip: what it says depends on how far somebody came. */
import { allStops, readProgress } from "./path/stops.js";

/** @param {boolean} walking */
export async function markPath(walking) {
  const way = document.getElementById("inside-to-path");
  if (!way) return;
  const { at } = readProgress(),
    stops = at ? await allStops() : [],
    index = stops.findIndex((stop) => stop.name === at);
  way.textContent = walking
    ? "Leave the path"
    : index < 0
      ? "Take the path"
      : `Continue the path: ${index + 1} of ${stops.length}`;
  way.setAttribute("aria-pressed", String(walking));
}
