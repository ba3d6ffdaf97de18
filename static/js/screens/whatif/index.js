/* What if: the model's insides changed, with controls, and what follows from it. */
import { onTheme } from "../../charts/theme.js";
import { bus } from "../../page/bus.js";
import { fillLesson } from "../../page/lesson.js";
import { fitSelection } from "../../page/selection.js";
import { el } from "../../ui/dom.js";
import { createBrush } from "./brush.js";
import { createChips } from "./chips.js";
import { createBrushes, createControls } from "./controls.js";
import { withValue, isKind } from "./edits.js";
import { createExports } from "./exports.js";
import { exposed } from "./exposed.js";
import { createFour } from "./four.js";
import { createGrid } from "./grid.js";
import { lessonOf } from "./lesson.js";
import { createKnockout } from "./knockout.js";
import { createLoading } from "./loading.js";
import { createResults } from "./results.js";
import { createNearest, createPrototypes } from "./says.js";
import { createSpread } from "./spread.js";
import { createEditing, createState } from "./state.js";
import { createTemperature } from "./temperature.js";
import { createWords } from "./words.js";
import { layOut, undoByKeys } from "./layout.js";

/** @typedef {import("./state.js").State} State */

/**
 * @param {HTMLElement} root
 * @param {import("../../page/screens.js").Page} page
 * @returns {import("../../page/screens.js").ScreenParts}
 */
export function create(root, page) {
  const { state, update } = createState(render);
  const editing = createEditing(state, (edits) => {
    update({ edits });
    reload();
  });
  const results = createResults(state, update),
    shown = el("div", { class: "inside-shown inside-after" }),
    loading = createLoading(state, update, shown);
  const more = () => page.run(loading.more);
  const parts = {
    controls: createControls(state, update, more),
    chips: createChips(state, editing),
    brush: createBrush(state, update, editing),
    brushes: createBrushes(state, update, createKnockout(state, update, editing)),
    grid: createGrid(state, editing),
    temperature: createTemperature(state, editing),
  };
  const spread = createSpread(),
    four = createFour((kind) => {
      const chosen = state.edits.map(({ text, on }) => ({
        text: on && isKind(text.slice(text.indexOf("=") + 1)) ? withValue(text, kind) : text,
        on,
      }));
      update({ kind });
      editing.set(chosen);
    }),
    nearest = createNearest((gallery) => {
      if (state.shown) update({ gallery, shown: { ...state.shown, nearest: null } });
      more();
    }),
    prototypes = createPrototypes(),
    words = createWords(editing, loading.check, page.run),
    take = createExports(state, results.panels);
  loading.runWith(page.run);
  shown.append(results.node, four.node, spread.node, nearest.node, prototypes.node, take.node);
  layOut(root, { ...parts, words, shown });
  undoByKeys(root, editing);

  /** @param {State} now */
  function render(now) {
    if (!now.view) return;
    for (const part of Object.values(parts)) part.draw();
    if (!now.shown) return;
    results.draw();
    four.draw(now, four.node);
    void spread.draw(now.shown);
    nearest.draw(now);
    prototypes.draw(now);
    page.expose(exposed(now));
    fillLesson("whatif", lessonOf(now));
    if (!now.hovered) take.refresh();
  }

  const isSeen = () => root.offsetParent !== null;
  let isStale = false;
  function reload() {
    isStale = !isSeen();
    if (!isStale) void page.run(loading.load);
  }
  new ResizeObserver(() => {
    if (isStale && isSeen()) reload();
  }).observe(root);
  onTheme(() => page.run(loading.recolour));
  bus.on("selection", ({ change }) => {
    if (!state.view) return;
    if ("layer" in change) reload();
    update({});
  });

  return {
    lazy: true,
    show(view) {
      fitSelection(view);
      update({ view, hovered: null, who: new Set(), whom: new Set() });
      return loading.load();
    },
  };
}
