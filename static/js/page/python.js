/* The Python lines that begin every screen's code. */

/** @typedef {Pick<import("../types/page").View, "model" | "weights">} Model */
/** @typedef {Model & Pick<import("../types/page").View, "sample" | "patch_size" | "short_side">} Opened */

/** The file of a picture, as the code names it. @param {{ sample: string }} view */
export const pictureFile = ({ sample }) => (sample ? `static/samples/${sample}` : "picture.jpg");

/** The call that loads a model: by its name, or from a file. @param {Model} view */
export const loadInPython = ({ model, weights }) =>
  `load_backbone(${weights ? `weights=${JSON.stringify(weights)}` : JSON.stringify(model)})`;

/**
 * The lines that open what this page has open: `backbone`, `picture`, `fitted`, `seen`.
 *
 * @param {Opened} view
 */
export function openInPython(view) {
  return `from dino_core import fit_to_patches, inspect, load_backbone, open_picture, to_tensor

backbone = ${loadInPython(view)}
picture = open_picture("${pictureFile(view)}")
fitted = fit_to_patches(picture, ${view.patch_size}, ${view.short_side})
seen = inspect(backbone.vit, to_tensor(fitted.picture))`;
}
