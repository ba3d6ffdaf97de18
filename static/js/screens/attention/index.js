/* Attention: what every head of a layer attends to, for the patch under the pointer. */
import { bus } from "../../page/bus.js";
import { speakOf } from "../../page/lesson.js";
import { fitSelection } from "../../page/selection.js";
import { el } from "../../ui/dom.js";
import { createControls } from "./controls.js";
import { createEnds } from "./ends.js";
import { createExports } from "./exports.js";
import { exposed } from "./exposed.js";
import { createHeads } from "./heads.js";
import { createLoading } from "./loading.js";
import { createOverview } from "./overview.js";
import { createPair } from "./pair.js";
import { createPicture } from "./picture.js";
import { createState, queryOf } from "./state.js";

/** @typedef {import("./picture.js").Loaded} Loaded */

/**
 * @param {HTMLElement} root
 * @param {import("../../page/screens.js").Page} page
 * @returns {import("../../page/screens.js").ScreenParts}
 */
export function create(root, page) {
  const { state, update } = createState(render);
  const loading = createLoading(state, update);
  const picture = createPicture(state, (change) => {
    update(change);
    loading.rest();
  });
  const heads = createHeads(),
    ends = createEnds(),
    overview = createOverview(),
    pair = createPair(),
    take = createExports(state, picture.png);
  const controls = createControls(page, update, loading.loadRollout);
  root.append(
    el(
      "div",
      { class: "inside-columns inside-attention" },
      el("div", { class: "inside-left" }, picture.node, controls.node, picture.keys, take.node),
      el("div", { class: "inside-left" }, heads.node, ends.node, pair.node, overview.node),
    ),
  );

  /** @param {import("./state.js").State} now */
  const speak = ({ rolled, ends: isOn }) =>
    speakOf("attention", rolled ? "rollout" : isOn ? "ends" : "look");
  speak(state);

  /** @param {import("./state.js").State} now @param {Partial<import("./state.js").State>} change */
  function render(now, change) {
    if (!now.scene || !now.view) return;
    const loaded = /** @type {Loaded} */ (now);
    if (change.view) picture.open(now.view);
    speak(now);
    controls.draw(loaded);
    picture.draw(loaded);
    heads.draw(loaded);
    ends.draw(loaded);
    pair.node.hidden = now.ends && now.target !== null;
    pair.draw(loaded);
    if (now.overview) overview.draw(now.overview, queryOf(now));
    page.expose(exposed(loaded));
    if (queryOf(now).kept) take.refresh();
  }

  bus.on("selection", ({ change }) => {
    if (!state.view) return;
    const { view } = state;
    if ("layer" in change && change.layer !== state.scene?.facts.layer)
      page.run(() => loading.load(view));
    else update({});
    loading.rest();
  });

  return {
    show(view) {
      fitSelection(view);
      return loading.load(view);
    },
  };
}
