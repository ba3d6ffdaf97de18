/* Compare: the same picture in two layers, or in two models. The second's components are put in the
   order and the signs of the first's, so that equal colours may mean equal things. */
import { keep } from "../../../page/link.js";
import { el } from "../../../ui/dom.js";
import { keyHints } from "../../../ui/key-hints.js";
import { legend } from "../../../ui/legend.js";
import { cosines, samePlace } from "../arithmetic.js";
import { comparisonUrl, patchesUrl } from "../fetching.js";
import { KEYS } from "../panels.js";
import { patchOf } from "../state.js";
import { createControls } from "./controls.js";
import { createExports } from "./exports.js";
import { createLoading } from "./loading.js";
import { createPictures } from "./pictures.js";
import { exposed } from "./state.js";
import { createTable } from "./table.js";
import { createVerdict } from "./verdict.js";

/** @typedef {import("./state.js").Compare} Compare */

/** @param {import("../state.js").Screen} screen @returns {import("../state.js").Way} */
export function compareWay(screen) {
  const { state } = screen;
  /** @param {Partial<Compare>} next */
  function change(next) {
    screen.update({ compare: { ...state.compare, ...next } });
    keep("features.layer", state.compare.secondLayer);
    keep("features.model", state.compare.model);
  }
  const pictures = createPictures(screen),
    table = createTable(screen, change),
    controls = createControls(screen, change),
    verdict = createVerdict();
  const node = el(
    "div",
    { class: "inside-left inside-way" },
    controls.node,
    el(
      "div",
      { class: "inside-compare" },
      el("div", { class: "inside-stack" }, pictures.node, keyHints(KEYS)),
      el(
        "div",
        { class: "inside-left" },
        verdict.node,
        el("h2", { text: "Likeness of all pairs of layers (CKA)" }),
        table.node,
        legend("magma", "0", "1"),
        el("p", {
          class: "inside-quiet",
          text: "down: layers of the first; across: layers of the second; both from 0",
        }),
      ),
    ),
  );

  function draw() {
    const { loaded } = state.compare;
    controls.draw(state);
    if (!loaded) return;
    const { grid, second_grid: other } = loaded.scene.facts,
      patch = patchOf(state, grid),
      there = samePlace(patch, grid, other);
    const { similar } = state.compare;
    state.compare.similar = [
      cosines(loaded.patches, patch.index, loaded.patches, similar[0]),
      cosines(loaded.others, there.row * other[1] + there.col, loaded.others, similar[1]),
    ];
    pictures.draw(loaded, { patch, there });
    table.draw(loaded);
    verdict.draw(loaded);
  }

  return {
    node,
    load: createLoading(screen, change),
    draw,
    isReady: () => state.compare.loaded !== null,
    needs({ view, layer }) {
      const { loaded } = state.compare;
      if (!loaded || loaded.view !== view) return [];
      return [comparisonUrl({ ...loaded, layer }), patchesUrl(view, layer)];
    },
    exposed: () => exposed(state.compare),
    exports: createExports(state, pictures.layers),
  };
}
