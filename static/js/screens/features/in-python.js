/* The Python lines that the ways of looking share. */
import { pictureFile } from "../../page/python.js";

/** @param {unknown} value */
const literal = (value) => {
  if (Array.isArray(value)) return `(${value.join(", ")})`;
  if (typeof value === "string") return `"${value}"`;
  if (typeof value === "boolean") return value ? "True" : "False";
  return String(value);
};

/**
 * The settings of the PCA: a preset and what was changed about it.
 *
 * @param {import("./state.js").Colouring} colouring
 */
export function configInPython({ preset, flip, changes }) {
  const parts = Object.entries({ ...(flip ? { flip } : {}), ...changes }).map(
    ([name, value]) => `${name}=${literal(value)}`,
  );
  const base = `PCA_PRESETS["${preset}"]`;
  return parts.length ? `replace(${base}, ${parts.join(", ")})` : base;
}

/**
 * The lines that open a second picture as `second`, once the first is open.
 *
 * @param {import("./state.js").Second} second
 */
export function secondInPython(second) {
  const file = second.sample ? pictureFile(second) : "second.jpg";
  return `other = open_picture("${file}")
fitted = fit_to_patches(other, ${second.patch_size}, ${second.short_side})
second = inspect(backbone.vit, to_tensor(fitted.picture))`;
}
