/* What can be taken from the screen: always of what it shows. */
import { NotShownYet } from "../../page/errors.js";
import { exportBar } from "../../page/export.js";
import { openInPython } from "../../page/python.js";
import { sceneUrl } from "../../page/scenes.js";
import { selection } from "../../page/selection.js";
import { firstPatch } from "./attend.js";

/** @typedef {import("./picture.js").Loaded} Loaded */

/**
 * @param {import("./state.js").State} state
 * @param {() => HTMLCanvasElement} png
 */
export const createExports = (state, png) =>
  exportBar("attention", {
    png,
    npz: () => {
      const { view, scene } = shown(state);
      return sceneUrl(view.key, `attention/${scene.facts.layer}`, { form: "npz" });
    },
    csv: () => attentionTable(shown(state)),
    figure: (query) => figureUrl(shown(state), query),
    python: () => pythonLines(shown(state)),
  });

/** @param {import("./state.js").State} state */
function shown(state) {
  if (!state.scene || !state.view) throw new NotShownYet();
  return /** @type {Loaded & { view: import("./state.js").View }} */ (state);
}

/**
 * The picture on the left for print: all heads, the one that is chosen, or the rollout.
 *
 * @param {Loaded & { view: import("./state.js").View }} state
 * @param {import("../../page/print.js").Query} query
 */
function figureUrl({ view, scene, rolled }, query) {
  if (rolled) return sceneUrl(view.key, "print/rollout", query);
  const { row, col, head } = selection;
  return sceneUrl(view.key, "print/attention", {
    layer: scene.facts.layer,
    row: row ?? -1,
    column: col ?? -1,
    head: head ?? -1,
    ...query,
  });
}

/**
 * A line a patch: what the query gives it in every head.
 *
 * @param {Pick<Loaded, "scene" | "rows">} state
 */
function attentionTable({ scene, rows }) {
  const [A, N] = scene.shapes.keys,
    [h, w] = scene.facts.grid,
    heads = Array.from({ length: A }, (_, head) => head);
  const lines = [["row", "column", ...heads.map((head) => `head_${head}`)].join(",")];
  for (let patch = 0; patch < h * w; patch++) {
    const values = heads.map((head) => rows[head * N + firstPatch(scene) + patch]);
    lines.push([Math.floor(patch / w), patch % w, ...values].join(","));
  }
  return `${lines.join("\n")}\n`;
}

/** @param {Loaded & { view: import("./state.js").View }} state */
function pythonLines({ view, scene }) {
  const { row, col } = selection,
    token = row === null ? "0" : `seen.token_at(${row}, ${col})`;
  return `${openInPython(view)}
rows = seen.rows(${token})[${scene.facts.layer}]  # [heads, tokens], each sums to 1
maps = seen.on_grid(rows)  # [heads, ${scene.facts.grid.join(", ")}]
print(maps.flatten(1).max(1).values)`;
}
