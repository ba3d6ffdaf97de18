/* The guide: the path, the drawing of the model and the glossary. It lies above the screens and knows
   them; no screen knows it. What somebody may never open is fetched when they do. */
import { connection } from "../page/connection.js";
import { kept, parseLink } from "../page/link.js";
import { watchTerms } from "./glossary.js";
import { markPath } from "./row.js";

export { openGlossary } from "./glossary.js";

/** @type {Promise<typeof import("./path/index.js")> | null} */
let path = null;

function fetchPath() {
  path ??= connection.patiently(() => import("./path/index.js"));
  path.catch(() => (path = null));
  return path;
}

/** The first picture is on the screen. */
export function begin() {
  void watchTerms();
  void markPath(false);
  followAddress();
  const stop = kept("stop");
  if (stop) void fetchPath().then(({ openPath }) => openPath(stop));
}

/** Takes the path, goes on with it, or leaves it. */
export async function togglePath() {
  const { isOpen, leavePath, openPath } = await fetchPath();
  return isOpen() ? leavePath() : openPath();
}

export async function openDrawing() {
  const drawing = await connection.patiently(() => import("./drawing.js"));
  return drawing.openDrawing();
}

/** The browser's Back and Forward lead to the stop that the address names, or out of the path. */
function followAddress() {
  addEventListener("popstate", async () => {
    const { stop } = parseLink(location.hash).extras;
    if (!stop && !path) return; // it was never taken
    const { isOpen, leavePath, openPath } = await fetchPath();
    if (stop) void openPath(stop);
    else if (isOpen()) leavePath();
  });
}
