/* Heads and losses: what student and teacher say of every crop and masked patch, and what it costs.

   All numbers of a picture, seed and pair come in one answer; pointing at a crop or a patch is a
   look-up. Another temperature asks anew, which costs the server a few milliseconds. */
import { bus } from "../../page/bus.js";
import { el } from "../../ui/dom.js";
import { createControls } from "./controls.js";
import { createCropAnswers } from "./crop-answers.js";
import { createExports } from "./exports.js";
import { exposed } from "./exposed.js";
import { createHead } from "./head.js";
import { fillLossesLesson } from "./lesson.js";
import { createLoading } from "./loading.js";
import { createMatrix } from "./matrix.js";
import { createNeighbours } from "./neighbours.js";
import { createPatchAnswers, createPatchMap } from "./patches.js";
import { createState, FIRST_PAIR } from "./state.js";
import { createTotal } from "./total.js";

/** @typedef {import("./state.js").State} State */
/** @typedef {import("./state.js").Loaded} Loaded */

/**
 * @param {HTMLElement} root
 * @param {import("../../page/screens.js").Page} page
 * @returns {import("../../page/screens.js").ScreenParts}
 */
export function create(root, page) {
  const { state, update } = createState(render);
  const loading = createLoading(state, update);
  const controls = createControls((change) => page.run(() => loading.choose(change)));
  const matrix = createMatrix(update),
    head = createHead(),
    crops = createCropAnswers(),
    map = createPatchMap(state, update),
    patches = createPatchAnswers(),
    neighbours = createNeighbours(),
    total = createTotal(),
    take = createExports(state, { png: map.png, npz: loading.npz });
  const stage = el(
    "div",
    { class: "inside-losses" },
    row(column("Between crops: the DINO loss", matrix.node, crops.caption, head.node), crops.node),
    row(
      column("Masked patches of global crop 0: the iBOT loss", map.node, map.keys, patches.caption),
      patches.node,
    ),
    row(neighbours.node, total.node),
  );
  root.append(controls.node, stage, controls.more, take.node);

  /** @param {State} now @param {Partial<State>} change */
  function render(now, change) {
    if (!now.scene || !now.view) return;
    stage.setAttribute("aria-busy", String(now.waiting));
    const loaded = /** @type {Loaded} */ (now);
    if (change.scene) {
      for (const part of [matrix, head, map, neighbours, total]) part.build(now.scene);
      controls.draw(loaded);
      fillLossesLesson(now.scene);
      take.refresh();
    }
    for (const part of [matrix, crops, map, patches]) part.draw(loaded);
    page.expose(exposed(loaded, crops.caption.textContent));
  }

  async function listPairs() {
    const pairs = await loading.listPairs();
    if (pairs) controls.offer(pairs, state.options.pair);
  }

  bus.on("screen", ({ name }) => {
    if (name === page.name && state.scene) page.run(listPairs); // a run may have gone on
  });

  return {
    lazy: true, // a pair is loaded and looks at the samples before it can answer
    async show(view) {
      if (state.options.pair !== FIRST_PAIR) await listPairs();
      await loading.load(view);
      page.run(listPairs);
    },
  };
}

/** @param {...HTMLElement} columns */
const row = (...columns) => el("div", { class: "inside-columns losses" }, ...columns);

/** @param {string} title @param {...HTMLElement} parts */
const column = (title, ...parts) =>
  el("div", { class: "inside-left" }, el("h2", { text: title }), ...parts);
