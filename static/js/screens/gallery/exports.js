/* What can be taken from the screen: always of the map that it shows. */
import { NotShownYet } from "../../page/errors.js";
import { exportBar } from "../../page/export.js";
import { request } from "../../page/scenes.js";

/** @typedef {import("./state.js").State} State */

/** What is shown, and not what was asked for since. @param {State} state */
function shownMap({ shown, points, chosen, selection, neighbourCount, command }) {
  if (!shown || !points) throw new NotShownYet();
  const { features, layer, method } = points.facts;
  return {
    ...{ shown, chosen: chosen ?? 0, selection, neighbourCount, command },
    query: { features, layer, method },
  };
}

/**
 * @param {State} state
 * @param {() => HTMLCanvasElement} png
 */
export const createExports = (state, png) =>
  exportBar("gallery", {
    png,
    npz() {
      const { shown, query } = shownMap(state);
      return shown.data.url("points", { ...query, form: "npz" });
    },
    async csv() {
      const { shown, query, selection } = shownMap(state);
      const response = await request(shown.data.url("points.csv", query), {
        method: "POST",
        body: selection.indices.join(","),
      });
      return response.text();
    },
    python: () => pythonLines(state),
  });

/** @param {State} state */
function pythonLines(state) {
  const { shown, query, chosen, neighbourCount, command } = shownMap(state),
    samples = shown.name === "samples",
    folder = samples ? "static/gallery" : "galleries/again",
    where = `"${query.features}", layer=${query.layer}`;
  return `${samples ? "" : `# built by: ${command}\n`}from dino_core.scenes.gallery import names, points
from dino_core.scenes.gallery_similarity import neighbours

folder = "${folder}"
map = points(folder, ${where}, method="${query.method}")  # xy [pictures, 2]
print(map.xy[:3], map.facts)
near = neighbours(folder, ${chosen}, k=${neighbourCount}, features=${where})
print([names(folder).names[i] for i in near.indices], near.similarities, near.votes)`;
}
