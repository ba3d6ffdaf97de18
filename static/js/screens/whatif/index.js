/* What if: the model's insides changed, with controls, and what follows from it. */
import { onTheme } from "../../charts/theme.js";
import { bus } from "../../page/bus.js";
import { fillLesson } from "../../page/lesson.js";
import { fitSelection } from "../../page/selection.js";
import { el } from "../../ui/dom.js";
import { createAfter } from "./after.js";
import { createBrush } from "./brush.js";
import { createChips } from "./chips.js";
import { createBrushes, createControls } from "./controls.js";
import { exposed } from "./exposed.js";
import { createGrid } from "./grid.js";
import { createKnockout } from "./knockout.js";
import { layOut, undoByKeys } from "./layout.js";
import { createReferences } from "./references.js";
import { lessonOf } from "./lesson.js";
import { createLoading } from "./loading.js";
import { createScreeningWork } from "./screening-work.js";
import { createScreening } from "./screening.js";
import { createEditing, createState } from "./state.js";
import { createTemperature } from "./temperature.js";
import { createWords } from "./words.js";

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
  const isSeen = () => root.offsetParent !== null;
  const shown = el("div", { class: "inside-shown inside-after" }),
    loading = createLoading(state, update, shown, page.run),
    screened = createScreeningWork(state, update, isSeen);
  const more = () => page.run(loading.more),
    screen = () => page.run(screened.start),
    stop = () => page.run(screened.stop);
  const grid = createGrid(state, editing, (pointed) => update({ pointed })),
    references = createReferences(state, update, () => reload());
  const parts = {
    controls: createControls(state, update, { more, references }),
    chips: createChips(state, editing),
    brush: createBrush(state, update, editing),
    brushes: createBrushes(state, update, createKnockout(state, update, editing)),
    grid,
    screening: createScreening(state, update, { grid, start: screen, stop }),
    temperature: createTemperature(state, editing),
  };
  const after = createAfter(shown, state, update, { editing, more }),
    words = createWords(editing, loading.check, page.run);
  layOut(root, { ...parts, words, shown });
  undoByKeys(root, editing);

  /** @param {import("./state.js").State} now */
  function render(now) {
    if (!now.view) return;
    for (const part of Object.values(parts)) part.draw();
    if (!now.shown) return;
    after.draw(now.shown);
    page.expose(exposed(now));
    fillLesson("whatif", lessonOf(now));
  }

  let isStale = false, // another change or layer, while nobody looked
    wasSeen = false;
  function reload() {
    isStale = !isSeen();
    if (!isStale) void page.run(loading.load);
  }
  new ResizeObserver(() => {
    const comesBack = isSeen() && !wasSeen;
    wasSeen = isSeen();
    if (isStale && isSeen()) reload();
    else if (comesBack) void page.run(loading.lookAgain);
  }).observe(root);
  onTheme(() => page.run(loading.recolour));
  bus.on("selection", ({ change }) => {
    if (!state.view) return;
    if ("layer" in change) reload();
    update({});
  });

  let isFirst = true;
  return {
    lazy: true,
    show(view) {
      fitSelection(view);
      const none = { hovered: null, screening: null, effects: null };
      update({ view, who: new Set(), whom: new Set(), ...none });
      // Another model would screen many pictures anew: that is for a person to begin.
      if (state.isColoured && (isFirst || !state.over.name)) screen();
      isFirst = false;
      return loading.load();
    },
  };
}
