/* Many pictures: a folder or zip as a map, with the neighbours, groups and probes of its features. */
import { kept } from "../../page/link.js";
import { el } from "../../ui/dom.js";
import { throttle } from "../../ui/frame.js";
import { createActions } from "./actions.js";
import { createChosen } from "./chosen.js";
import { createControls, createMoreControls } from "./controls.js";
import { exposed } from "./exposed.js";
import { createExports } from "./exports.js";
import { createForm } from "./form.js";
import { createLegend } from "./legend.js";
import { fillGalleryLesson } from "./lesson.js";
import { Loading } from "./loading.js";
import { createMap } from "./map.js";
import { createNextUpload, createOmitted } from "./next-upload.js";
import { Opening, SAMPLES } from "./opening.js";
import { createProbes } from "./probes.js";
import { SecondMap } from "./second.js";
import { createSheet } from "./sheet.js";
import { createState } from "./state.js";
import { createVerdict } from "./verdict.js";

/**
 * @param {HTMLElement} root
 * @param {import("../../page/screens.js").Page} page
 * @returns {import("../../page/screens.js").ScreenParts}
 */
export function create(root, page) {
  const { state, update } = createState((_, change) => draw(change)),
    loading = new Loading(state, update),
    actions = createActions({ state, update, loading, page }),
    map = createMap(state, actions),
    onthumbnails = () => map.scatter.redrawOver(),
    onnames = throttle(() => update({ named: state.named + 1 }), 250),
    opening = new Opening({ state, update, loading, page, onthumbnails, onnames }),
    next = createNextUpload(),
    form = createForm({ root, state, update, opening, next }),
    omitted = createOmitted(),
    controls = createControls(state, actions),
    more = createMoreControls(state, actions),
    legend = createLegend(state, actions.select),
    chosen = createChosen(state, actions),
    verdict = createVerdict(state, actions),
    sheet = createSheet(state, actions, verdict.node),
    probes = createProbes(state, actions),
    second = new SecondMap(state, map.scatter),
    take = createExports(state, () => map.scatter.png());

  const folded = el("summary", { text: "More" });
  map.node.append(legend.node);
  const shown = [
    controls.node,
    el("div", { class: "inside-columns gallery map" }, map.node, chosen.node),
    el("div", { class: "inside-columns gallery below" }, sheet.node, probes.node),
    second.node,
    el("details", { class: "inside-more" }, folded, more.node, next.node),
    take.node,
  ];
  root.append(form.node, omitted.node, ...shown);

  /** @param {Partial<import("./state.js").State>} change */
  function draw(change) {
    root.classList.toggle("without", state.shown === null);
    const old = state.shown !== null && state.shown.name !== state.name;
    for (const node of shown) {
      node.classList.toggle("old", old);
      node.setAttribute("aria-busy", String(old));
    }
    for (const part of [form, omitted, next]) part.draw(state);
    for (const part of [controls, map, chosen, sheet, probes, second]) part.draw(change);
    for (const part of [more, verdict]) part.draw();
    if ("selection" in change) legend.press(null);
    if (
      ["shown", "colour", "clusters", "predictions", "coloursWaiting"].some((key) => key in change)
    )
      legend.draw();
    fillGalleryLesson(state);
    take.refresh();
  }
  const parts = { scatter: map.scatter, patches: chosen.patches, sheet, probes, second };
  page.expose(exposed(state, parts));

  return {
    async show(view) {
      const before = state.view?.key;
      update({ view });
      if (!state.card) await opening.open(state.name ?? kept("gallery") ?? SAMPLES);
      else if (before !== view.key) await loading.own();
    },
  };
}
