/* The guide: the path, the drawing of the model and the glossary. It lies above the screens and knows
   them; no screen knows it. */
import { kept } from "../page/link.js";
import { watchTerms } from "./glossary.js";
import { followAddress, isOpen, leavePath, openPath } from "./path/index.js";
import { markPath } from "./row.js";

export { openDrawing } from "./drawing.js";
export { openGlossary } from "./glossary.js";

/** The first picture is on the screen. */
export function begin() {
  void watchTerms();
  void markPath(false);
  followAddress();
  const stop = kept("stop");
  if (stop) void openPath(stop);
}

/** Takes the path, goes on with it, or leaves it. */
export const togglePath = () => (isOpen() ? leavePath() : openPath());
