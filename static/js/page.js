/* Everything the page's views need, in order: the shared part, the strip, then one file a screen. */
import "./core.js";
import "./strip.js";
import "./crops.js";
import "./masks.js";
import "./tokens.js";
import "./attention.js";
import "./features.js";
import "./update.js";
import "./training.js";
import "./gallery.js";
