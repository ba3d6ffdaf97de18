/* The guide: the drawing of the model and the glossary. It lies above the screens and knows them; no
   screen knows it. */
import { watchTerms } from "./glossary.js";

export { openDrawing } from "./drawing.js";
export { openGlossary } from "./glossary.js";

/** The first picture is on the screen. */
export function begin() {
  void watchTerms();
}
