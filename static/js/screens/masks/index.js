/* Masks: what iBOT hides from the student, block by block.

   The blocks come with the scene in the order the sampler kept them; stepping is a look-up. */
import { fillLesson } from "../../page/lesson.js";
import { el } from "../../ui/dom.js";
import { debounce } from "../../ui/frame.js";
import { createBatch } from "./batch.js";
import { createControls } from "./controls.js";
import { createDraws } from "./draws.js";
import { createExports } from "./exports.js";
import { exposed } from "./exposed.js";
import { createFields } from "./fields.js";
import { pressKey } from "./keys.js";
import { createLoading } from "./loading.js";
import { ownersOf } from "./owners.js";
import { createPicture } from "./picture.js";
import { createPlayer } from "./player.js";
import { createState, currentMask, isLoaded, isWaiting, stepNow } from "./state.js";
import { describe, lessonNumbers } from "./sentences.js";

/** @typedef {import("./state.js").State} State */

/**
 * @param {HTMLElement} root
 * @param {import("../../page/screens.js").Page} page
 * @returns {import("../../page/screens.js").ScreenParts}
 */
export function create(root, page) {
  const { state, update } = createState(render);
  const loading = createLoading(state, update, page),
    player = createPlayer(state, update),
    loadSoon = debounce(() => page.run(loading.load), 60);
  const picture = createPicture(state, (event) => pressKey(event, { state, update, player, pick })),
    controls = createControls(state, update, { player, onratio: loadSoon }),
    fields = createFields(),
    batch = createBatch(pick),
    draws = createDraws(),
    take = createExports(state, fields.canvases);
  const story = el("p", { class: "inside-details", "aria-live": "polite" }),
    left = el("div", { class: "inside-left" }, picture.node, controls.node, story, picture.keys),
    stage = el(
      "div",
      { class: "inside-shown" },
      el(
        "div",
        { class: "inside-columns masks" },
        left,
        el("div", { class: "inside-left" }, fields.node, draws.counts),
      ),
      batch.node,
      draws.more,
    );
  root.append(stage, take.node);

  /** Another crop of the batch, or the mask of the slider again. @param {number | null} index */
  function pick(index) {
    player.stop();
    update({ member: index === state.member ? null : index, step: null });
  }

  /** @param {State} now @param {Partial<State>} change */
  function render(now, change) {
    stage.setAttribute("aria-busy", String(now.scene !== null && isWaiting(now)));
    if (!isLoaded(now)) return;
    if (change.scene) {
      picture.open(now);
      batch.open(now.scene, picture.crop);
      draws.open(now.scene);
    }
    if (change.charts) draws.draw(change.charts);
    if (change.scene || "member" in change) {
      picture.build(now);
      fields.build(now);
      batch.draw(now.scene, now.member);
      fillLesson("masks", lessonNumbers(now));
    }
    const owners = ownersOf(currentMask(now).blocks.slice(0, stepNow(now)), now.scene.facts.grid);
    picture.draw(now);
    fields.draw(now, owners);
    controls.draw(now);
    story.textContent = describe(now);
    page.expose(exposed(now, owners));
    take.refresh();
  }

  return {
    show(view) {
      player.stop();
      update({ view });
      return loading.load();
    },
  };
}
