/* The Python lines that begin every screen's code. */

/** @typedef {Pick<import("../types/page").View, "model" | "weights" | "said">} Model */
/** @typedef {Model & Pick<import("../types/page").View, "sample" | "patch_size" | "short_side">} Opened */

/** The file of a picture, as the code names it. @param {{ sample: string }} view */
export const pictureFile = ({ sample }) => (sample ? `static/samples/${sample}` : "picture.jpg");

/** What has to be said of a checkpoint, as arguments. @param {NonNullable<Model["said"]>} said */
const saidInPython = ({ heads, grid, branch }) => [
  ...(heads === undefined ? [] : [`heads=${heads}`]),
  ...(grid === undefined ? [] : [`grid=(${grid.split("x").join(", ")})`]),
  ...(branch === undefined ? [] : [`branch=${JSON.stringify(branch)}`]),
];

/** The call that loads a model: by its name, or from a file and what it does not tell. @param {Model} view */
export const loadInPython = ({ model, weights, said = {} }) => {
  const file = weights ? `weights=${JSON.stringify(weights)}` : JSON.stringify(model);
  return `load_backbone(${[file, ...saidInPython(said)].join(", ")})`;
};

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
