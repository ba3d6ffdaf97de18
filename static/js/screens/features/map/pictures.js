/* The picture in its clusters, and the patches as points of a map. */
import { Scatter } from "../../../charts/scatter.js";
import { sceneUrl } from "../../../page/scenes.js";
import { selectedPatch } from "../../../page/selection.js";
import { percent, place } from "../../../ui/format.js";
import { keysSentence } from "../../../ui/key-hints.js";
import { PatchPicture } from "../../../ui/patch-picture.js";
import { cellOf, fitted } from "../arithmetic.js";
import { figure, KEYS, paintEach } from "../panels.js";
import { patchOf } from "../state.js";

/** @typedef {import("./state.js").LoadedMap} LoadedMap */

const KEPT = "#ffe066"; // as tokens.css has it for what was chosen
const POINTED_AT = "#fff";

/** @param {import("../state.js").Screen} screen */
export function createPictures({ state, pointing, update }) {
  const describe = (/** @type {number} */ index) => {
    const { loaded } = state.map;
    if (!loaded) return "";
    const { labels, facts } = loaded.clusters;
    return `${place(index, facts.grid)}\ncluster ${labels[index]}`;
  };
  const cell = (/** @type {number} */ index) =>
    cellOf(index, state.map.loaded?.clusters.facts.grid ?? [1, 1]);
  let isFromMap = false; // the map tells a frame later that the pointer has left it
  const picture = new PatchPicture({
    from: selectedPatch,
    label: `The picture with its clusters. ${keysSentence(KEYS)}.`,
    ...pointing,
    onhover: (row, col) => {
      isFromMap = false;
      pointing.onhover(row, col);
    },
    describe: (row, col) => describe(row * picture.grid[1] + col),
  });
  const scatter = new Scatter({
    describe,
    roleDescription: "map of the patches",
    onpick: (index) => pointing.onpin(...cell(index)),
    onhover: (index) => {
      if (index !== null) pointing.onhover(...cell(index));
      else if (isFromMap) pointing.onleave();
      isFromMap = index !== null;
    },
    onkey: ({ key }) => (key === "[" || key === "]") && pointing.onkey(key),
    onclear: () => pointing.onkey("Escape"),
    onrest: () => update({}), // where the points are has changed
  });
  const left = figure(picture.node, "Clusters", ""),
    right = figure(scatter.node, "Map of the patches", "");
  /** @type {LoadedMap | null} */
  let drawn = null;
  /** @type {number | null | undefined} */
  let drawnAlone;

  /** @param {LoadedMap} loaded */
  function open(loaded) {
    const { view, clusters, map } = loaded,
      { grid, sizes } = clusters.facts;
    if (drawn?.view !== view) {
      picture.show(sceneUrl(view.key, "input.jpg"), grid, view.input_size);
      scatter.open({ label: "Every patch as a point; near points are alike." });
    }
    if (drawn?.map !== map) scatter.setPoints(fitted(map.points));
    scatter.setColours((index) => colourOf(loaded, index));
    left.words.textContent = `k-means, ${sizes.length} clusters, numbered from 0, the largest first`;
  }

  /** @param {LoadedMap} loaded @param {number | null} alone */
  function highlight(loaded, alone) {
    const { labels, facts } = loaded.clusters;
    scatter.setHighlighted(
      alone === null ? null : Uint8Array.from(labels, (label) => Number(label === alone)),
    );
    paintEach(picture.overlay, facts.grid, (index) =>
      alone === null || labels[index] === alone ? colourOf(loaded, index) : null,
    );
  }

  return {
    left: left.node,
    right: right.node,
    measure: () => scatter.measure(),
    layers: () => ({ picture: picture.picture, overlay: picture.overlay, map: scatter.png() }),
    exposed: () => ({
      places: drawn ? [...drawn.clusters.labels.keys()].flatMap((i) => scatter.placeOf(i)) : [],
      hoveredPoint: scatter.hovered,
      moving: scatter.state.moving,
    }),

    /** @param {LoadedMap} loaded */
    draw(loaded) {
      const { alone, strength, isMapping } = state.map;
      if (drawn !== loaded) open(loaded);
      if (drawn !== loaded || drawnAlone !== alone) highlight(loaded, alone);
      [drawn, drawnAlone] = [loaded, alone];
      picture.overlay.style.opacity = String(strength);
      right.words.textContent = isMapping ? "UMAP is at work: PCA until then" : methodOf(loaded);
      const { row, col, index, isKept } = patchOf(state, loaded.clusters.facts.grid);
      picture.mark(row, col, isKept);
      scatter.annotate([{ index, colour: isKept ? KEPT : POINTED_AT, wider: 2 }]);
    },
  };
}

/** @param {LoadedMap} loaded @param {number} index */
const colourOf = ({ clusters, rainbow }, index) =>
  rainbow
    ? [...rainbow.colours.subarray(3 * index, 3 * index + 3)]
    : clusters.facts.colours[clusters.labels[index]];

/** How the map was made. @param {LoadedMap} loaded */
function methodOf({ map: { facts } }) {
  const { ratio = [], neighbours, min_distance: distance, seed } = facts.parameters;
  return facts.method === "umap"
    ? `UMAP of cosine distances: ${neighbours} neighbours, smallest distance ${distance}, seed ` +
        `${seed}, started from PCA`
    : `PCA: components 0 and 1, ${percent(ratio[0])} and ${percent(ratio[1])} of the variance`;
}
