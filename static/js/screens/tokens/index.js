/* Tokens: how a picture becomes tokens, where they stand, and what the blocks do to them. */
import { bus } from "../../page/bus.js";
import { fillLesson, speakOf } from "../../page/lesson.js";
import { fitSelection, select } from "../../page/selection.js";
import { choice } from "../../ui/controls.js";
import { el } from "../../ui/dom.js";
import { rafThrottle } from "../../ui/frame.js";
import { createBlocks, moveStep } from "./blocks.js";
import { createExports } from "./exports.js";
import { exposed, lessonNumbers } from "./exposed.js";
import { createLoading } from "./loading.js";
import { createPatches } from "./patches.js";
import { createPositions } from "./positions.js";
import { createState, heldOf, isWaiting, PARTS } from "./state.js";

/** @typedef {ReturnType<typeof createChoosing>} Choosing how all parts choose the page's patch */

/**
 * @param {HTMLElement} root
 * @param {import("../../page/screens.js").Page} page
 * @returns {import("../../page/screens.js").ScreenParts}
 */
export function create(root, page) {
  const { state, update } = createState(render);
  const loading = createLoading(state, update, page),
    choosing = createChoosing(state, update);
  const parts = {
    patches: createPatches(state, update, choosing),
    positions: createPositions(state, update, choosing),
    blocks: createBlocks(state, update, choosing),
  };
  const chosen = choice("What to look at", PARTS, state.part, (part) => {
    update({ part, hovered: null, cell: null });
    page.run(loading.load);
  });
  const take = createExports(state, () => parts[state.part].png()),
    stage = el("div", { class: "inside-shown" }, ...PARTS.map(([name]) => parts[name].node));
  root.append(el("div", { class: "inside-controls" }, chosen.node), stage, take.node);
  showOpenPart();

  function showOpenPart() {
    speakOf("tokens", state.part);
    for (const [name] of PARTS) parts[name].node.hidden = name !== state.part;
    const held = heldOf(state);
    stage.setAttribute("aria-busy", String(Boolean(held) && isWaiting(state)));
    take.node.hidden = !held;
  }

  /** @param {import("./state.js").State} now @param {Partial<import("./state.js").State>} change */
  function render(now, change) {
    showOpenPart();
    if (!heldOf(now)) return;
    parts[now.part].draw("part" in change ? { ...now } : change);
    page.expose(exposed(now));
    if (now.hovered || now.cell) return; // words for reading wait until the pointer rests
    fillLesson("tokens", lessonNumbers(now));
    take.refresh();
    take.print?.enable(state.part === "blocks"); // the others are not printed
  }

  bus.on("selection", ({ change }) => {
    if (state.view) update("layer" in change ? { before: false } : {});
  });

  return {
    show(view) {
      fitSelection(view);
      update({ view, hovered: null, cell: null });
      return loading.load();
    },
  };
}

/**
 * @param {import("./state.js").State} state
 * @param {import("./state.js").Update} update
 */
const createChoosing = (state, update) => ({
  onhover: rafThrottle((/** @type {number} */ row, /** @type {number} */ col) =>
    update({ hovered: [row, col] }),
  ),
  onleave: rafThrottle(() => update({ hovered: null })),
  onpin(/** @type {number} */ row, /** @type {number} */ col) {
    state.hovered = null;
    select({ row, col });
  },
  onkey(/** @type {string} */ key) {
    if (key === "Escape") select({ row: null, col: null });
    else if (key === "Enter" && state.hovered) {
      const [row, col] = state.hovered;
      select({ row, col });
    } else if (key === "[" || key === "]") moveStep(state, update, key === "]" ? 1 : -1);
    else return key === "Enter";
    return true;
  },
});
