/* The filters of the patch embedding as small pictures: a sheet of them, and the chosen one large. */
import { paintRgb } from "../../ui/canvas.js";
import { choice, slider } from "../../ui/controls.js";
import { el, penOf } from "../../ui/dom.js";
import { capital, percent, signed } from "../../ui/format.js";
import { sum } from "../../ui/numbers.js";
import { Atlas } from "./atlas.js";
import { filterColours } from "./embed.js";
import { choiceOfFilter, countOf, FILTER_COLUMNS, perPage } from "./state.js";

/** @typedef {import("./state.js").State} State */
/** @typedef {import("./state.js").Patches} Patches */
/** @typedef {import("./state.js").PatchesScene} PatchesScene */
/** @typedef {import("./state.js").Filter} Filter */
/** @typedef {import("./patches.js").PatchNumbers} PatchNumbers */

const COMPONENT_COLUMNS = 7; // 28 components in 4 rows, as in the ViT paper

/**
 * @param {State} state
 * @param {import("./state.js").Update} update
 */
export function createFilters(state, update) {
  const { node: controls, draw: drawControls } = createControls(state, update);
  /** The filter of a cell; null where there is none. @param {number | null} cell @returns {Filter | null} */
  const filterAt = (cell) => {
    if (!state.patches || cell === null) return null;
    const index = firstOf(state, state.patches.scene) + cell;
    return index < countOf(state.patches.scene, state.kind) ? { kind: state.kind, index } : null;
  };
  const sheet = new Atlas({
    label: "Filters of the patch embedding. Arrows move, Enter chooses, Escape lets go.",
    onchoose: (cell) => {
      const filter = filterAt(cell);
      if (filter) update(choiceOfFilter(state, filter));
    },
    onpoint: (cell) => update({ pointed: filterAt(cell) }),
    onrelease: () => update({ filter: null, pointed: null }),
    describe: (cell) => {
      const filter = filterAt(cell);
      return filter && state.patches && filterName(state.patches.scene, filter);
    },
  });
  const large = el("canvas", { class: "inside-close", "aria-hidden": "true" }),
    about = el("p", { class: "inside-details", "aria-live": "polite" });
  const node = el(
    "div",
    { class: "inside-left" },
    el("h2", { text: "What the filters look for" }),
    controls,
    sheet.node,
    el("div", { class: "inside-token-patch" }, large, about),
  );

  return {
    node,

    /** @param {Patches} held @param {PatchNumbers} numbers @param {Partial<State>} change */
    draw({ scene }, numbers, change) {
      if (change.patches || "kind" in change || "page" in change) {
        drawControls(scene);
        drawSheet(sheet, scene, state);
      }
      const { filter } = numbers,
        p = scene.facts.patch_size,
        first = firstOf(state, scene),
        onSheet = filter?.kind === state.kind ? filter.index - first : -1;
      const there = onSheet >= 0 && onSheet < perPage(scene, state.kind);
      sheet.markCell(there ? onSheet : null, filter === state.filter);
      const drawn = filter ?? { kind: state.kind, index: first };
      paintRgb(large, filterColours(scene[drawn.kind], drawn.index, p), p, p);
      large.style.opacity = filter ? "1" : "0.35";
      about.textContent = filter
        ? aboutFilter(scene, numbers, state.filter !== null)
        : aboutAll(scene, state.kind);
    },

    /** The sheet as a picture, four pixels a weight. */
    png() {
      const { width, height } = sheet.overlay,
        canvas = el("canvas", { width: 4 * width, height: 4 * height }),
        context = penOf(canvas);
      context.fillStyle = "#fff";
      context.fillRect(0, 0, canvas.width, canvas.height);
      context.imageSmoothingEnabled = false;
      context.drawImage(sheet.overlay, 0, 0, canvas.width, canvas.height);
      return canvas;
    },
  };
}

/** @param {State} state @param {import("./state.js").Update} update */
function createControls(state, update) {
  const kinds = choice(
    "Filters",
    [
      ["components", "Principal components"],
      ["filters", "The filters themselves"],
    ],
    state.kind,
    (kind) => update({ kind, page: 0, pointed: null }),
  );
  const pager = slider("Page", {
    min: 0,
    max: 0,
    format: (page) => (state.patches ? pageText(state.patches.scene, state.kind, page) : ""),
    oninput: (page) => update({ page }),
  });
  return {
    node: el("div", { class: "inside-controls" }, kinds.node, pager.node),
    /** @param {PatchesScene} scene */
    draw(scene) {
      const { kind, page } = state;
      kinds.set(kind);
      pager.limit(Math.ceil(countOf(scene, kind) / perPage(scene, kind)) - 1);
      pager.set(page);
      pager.node.style.visibility = kind === "components" ? "hidden" : "visible";
    },
  };
}

/** Index of the sheet's first filter. @param {State} state @param {PatchesScene} scene */
const firstOf = ({ kind, page }, scene) => page * perPage(scene, kind);

/** @param {PatchesScene} scene @param {import("./state.js").FilterKind} kind @param {number} page */
function pageText(scene, kind, page) {
  const count = countOf(scene, kind),
    size = perPage(scene, kind);
  return kind === "components"
    ? `all ${count}`
    : `${page * size} to ${Math.min((page + 1) * size, count) - 1} of ${count}`;
}

/** @param {PatchesScene} scene @param {Filter} filter */
const filterName = (scene, { kind, index }) =>
  kind === "components"
    ? `component ${index}, ${percent(scene.ratio[index])} of the filters' variance`
    : `filter ${index}`;

/** @param {Atlas} sheet @param {PatchesScene} scene @param {State} state */
function drawSheet(sheet, scene, state) {
  const { kind } = state,
    p = scene.facts.patch_size,
    cell = p + 2, // a line of one pixel around each
    first = firstOf(state, scene),
    count = Math.min(perPage(scene, kind), countOf(scene, kind) - first),
    columns = kind === "components" ? COMPONENT_COLUMNS : FILTER_COLUMNS,
    rows = Math.ceil(Math.min(perPage(scene, kind), countOf(scene, kind)) / columns);
  sheet.resize(rows, columns);
  sheet.overlay.width = columns * cell;
  sheet.overlay.height = rows * cell;
  const context = penOf(sheet.overlay),
    tile = context.createImageData(p, p);
  tile.data.fill(255);
  for (let i = 0; i < count; i++) {
    const rgb = filterColours(scene[kind], first + i, p);
    for (let j = 0; j < p * p; j++) tile.data.set(rgb.subarray(3 * j, 3 * j + 3), 4 * j);
    context.putImageData(tile, (i % columns) * cell + 1, Math.floor(i / columns) * cell + 1);
  }
}

/** @param {PatchesScene} scene @param {PatchNumbers} numbers @param {boolean} isKept */
function aboutFilter(scene, { filter, response, patch }, isKept) {
  if (!filter || !response) return "";
  const lowest = signed(Math.min(...response)),
    highest = signed(Math.max(...response));
  return (
    `${capital(filterName(scene, filter))}. It says ${signed(response[patch], 3)} of this patch; ` +
    `over the picture from ${lowest} to ${highest}.` +
    (isKept ? " Click it again to let go." : " Click to keep it.")
  );
}

/** @param {PatchesScene} scene @param {import("./state.js").FilterKind} kind */
function aboutAll(scene, kind) {
  const share = percent(sum(scene.ratio, 0, scene.ratio.length), 0);
  return `Each filter is a small colour picture, grey where it does not care. ${
    kind === "components"
      ? `The ${countOf(scene, "components")} directions in which the ` +
        `${countOf(scene, "filters")} filters differ most; together ${share} of their ` +
        "variance."
      : "Each gives one number of the embedding."
  }`;
}
