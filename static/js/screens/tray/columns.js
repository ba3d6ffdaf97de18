/* The columns of a tray, and the words by which server and link name them: `VIEW:LAYER.HEAD@/MODEL`.
   For the server the patch that is asked for stands behind the @, with the row that it lies in. */

/**
 * @typedef {object} Column
 * @property {string} view
 * @property {number} layer from 0; -1: the last
 * @property {number | null} head of attention; null: the mean of all
 * @property {boolean} asked of the chosen patch; always so for likeness
 * @property {number} model 0: the page's, 1, 2, ...: those that were added
 */

/** @type {readonly (readonly [string, string])[]} */
export const VIEWS = [
  ["pca", "PCA"],
  ["attention", "Attention of the class token"],
  ["attention@", "Attention of the chosen patch"],
  ["similar@", "Similarity to the chosen patch"],
  ["clusters", "Clusters"],
  ["norms", "Lengths of tokens"],
  ["input", "The picture"],
  ["difference", "Difference of two models"],
];
export const FIRST = ["input", "pca", "attention", "similar@"];
const WORD = /^([a-z]+)(?::(-?\d+)(?:\.(\d+))?)?(@)?(?:\/(\d{1,2}))?$/;

/** @param {string} text @returns {Column | null} null for what is no column */
export function columnOf(text) {
  const found = WORD.exec(text);
  if (!found) return null;
  const [, view, layer, head, asked, model] = found;
  if (!VIEWS.some(([one]) => one.replace("@", "") === view)) return null;
  return {
    view,
    layer: layer === undefined ? -1 : Number(layer),
    head: head === undefined ? null : Number(head),
    asked: asked !== undefined,
    model: Number(model ?? 0),
  };
}

/** As the link has it. @param {Column} column */
export const wordOf = (column) => written(column, column.asked ? "@" : "");

/**
 * As the server and the command line take it.
 *
 * @param {Column} column
 * @param {number} row that the chosen patch lies in
 * @param {readonly [number, number]} patch
 */
export const askedWord = (column, row, patch) =>
  written(column, column.asked ? `@${row}:${patch[0]},${patch[1]}` : "");

/** @param {Column} column @param {string} at */
function written({ view, layer, head, model }, at) {
  const which = head !== null ? `:${layer}.${head}` : layer === -1 ? "" : `:${layer}`;
  return `${view}${which}${at}${model ? `/${model}` : ""}`;
}

/**
 * A column by what a person chose for it.
 *
 * @param {string} choice of VIEWS
 * @param {{ layer: number, head: number | null, model: number }} at
 * @returns {Column}
 */
export function chosenColumn(choice, { layer, head, model }) {
  const view = choice.replace("@", ""),
    plain = view === "input",
    both = view === "difference";
  return {
    view,
    layer: plain ? -1 : layer,
    head: view === "attention" ? head : null,
    asked: choice.endsWith("@"),
    model: plain || both ? 0 : model,
  };
}

/**
 * The columns once there are other models: each stays with its model, and goes with it.
 *
 * @param {readonly Column[]} columns
 * @param {readonly string[]} before models 1, 2, ...
 * @param {readonly string[]} after
 */
export const columnsOf = (columns, before, after) =>
  columns.flatMap((column) => {
    if (column.view === "difference") return after.length && after[0] === before[0] ? [column] : [];
    if (column.model === 0) return [column];
    const place = after.indexOf(before[column.model - 1]);
    return place < 0 ? [] : [{ ...column, model: place + 1 }];
  });

/**
 * What stands above a column: its view, and of what.
 *
 * @param {import("./state.js").ColumnFacts} facts
 * @param {readonly string[]} models names by number
 * @returns {[string, string]}
 */
export function titleOf({ view, layer, head, query, model }, models) {
  const names = {
    input: "Picture",
    pca: "PCA",
    attention: query ? "Attention of patch" : "Attention of class token",
    similar: "Similarity",
    clusters: "Clusters",
    norms: "Lengths",
    difference: "Difference",
  };
  const name = names[/** @type {keyof typeof names} */ (view)] ?? view;
  if (view === "input") return [name, ""];
  const parts = [`layer ${layer}`];
  if (head !== null) parts.push(`head ${head}`);
  if (view === "difference") parts.push(`to ${models[1]}`);
  else if (models.length > 1) parts.push(models[model]);
  return [name, parts.join(", ")];
}
