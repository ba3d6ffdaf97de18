/* One step: a real training step on the picture and its companions, line by line.

   A step comes whole, with all that its lines left behind: going through it is a look-up. Another
   choice makes a step anew, which takes seconds. */
import { onTheme } from "../../charts/theme.js";
import { keep } from "../../page/link.js";
import { el } from "../../ui/dom.js";
import { keyHints } from "../../ui/key-hints.js";
import { visitOfLine } from "./arithmetic.js";
import { createCode } from "./code.js";
import { createControls } from "./controls.js";
import { createDetail } from "./detail.js";
import { createExports } from "./exports.js";
import { exposed } from "./exposed.js";
import { fillStepLesson } from "./lesson.js";
import { createLoading } from "./loading.js";
import { createOtherPair, loadBeside } from "./other-pair.js";
import { createPlayer, KEYS } from "./player.js";
import { createRow } from "./row.js";
import { createState, sceneOf } from "./state.js";

/** @typedef {import("./state.js").State} State */
/** @typedef {import("./state.js").StepScene} StepScene */

/**
 * @param {HTMLElement} root
 * @param {import("../../page/screens.js").Page} page
 * @returns {import("../../page/screens.js").ScreenParts}
 */
export function create(root, page) {
  const { state, update } = createState(render);
  const loading = createLoading(state, update);
  const controls = createControls({
    onchange: (change) => page.run(() => loading.choose(change)),
    ongo: (count) => page.run(() => loading.goOn(count)),
    oncancel: loading.cancel,
  });
  const player = createPlayer(state, update),
    code = createCode({ onpick: pick, onkey: player.onkey }),
    detail = createDetail(),
    row = createRow((shown) => update({ shown })),
    other = createOtherPair((chosen) => {
      keep("step-other", chosen || null);
      update({ other: chosen });
      page.run(besideIt);
    }),
    take = createExports(state, loading.npz, detail.node);
  const besideIt = () => loadBeside(state, update, loading.addressOf);
  const stage = el(
    "div",
    { class: "inside-step" },
    el(
      "div",
      { class: "inside-columns step" },
      el("div", { class: "inside-left inside-source" }, code.node, keyHints(KEYS)),
      detail.node,
    ),
    row.node,
    other.node,
  );
  const bar = el("div", { class: "inside-controls inside-bar" }, player.node, controls.go);
  root.append(controls.node, bar, stage, take.node);
  /** @type {StepScene | null} */
  let drawn = null;

  /** @param {number} index @param {number} line */
  function pick(index, line) {
    const visits = sceneOf(state)?.facts.visits ?? [],
      at = visitOfLine(visits, { function: index, line, at: state.at });
    if (at !== null) player.go(at);
  }

  /** @param {State} now */
  function render(now) {
    const scene = sceneOf(now);
    controls.draw(now);
    stage.setAttribute("aria-busy", String(now.making?.fresh === true));
    stage.hidden = scene === null;
    if (!scene || !now.view) return;
    if (scene !== drawn) {
      drawn = scene;
      code.build(scene);
      detail.build();
      fillStepLesson(scene);
      take.refresh();
      page.run(loadCharts);
      page.run(besideIt);
    }
    code.draw(scene, now.at);
    detail.draw(scene, now.at);
    player.draw();
    row.draw(now);
    other.draw(now);
    keep("step-line", now.at || null);
    page.expose(exposed(/** @type {import("./state.js").Loaded} */ (now)));
  }

  async function loadCharts() {
    const scene = sceneOf(state);
    if (!scene || !state.view) return;
    const charts = await loading.charts(state.view, scene);
    if (scene === sceneOf(state)) detail.plot(charts);
  }

  onTheme(() => page.run(loadCharts));

  return {
    lazy: true, // a step is made when somebody looks
    async show(view) {
      await loading.load(view);
      const pairs = await loading.listPairs();
      if (pairs) controls.offer(pairs, state.options.pair);
      page.run(besideIt); // of a link
    },
  };
}
