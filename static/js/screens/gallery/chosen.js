/* The chosen picture: itself, what its label and a probe call it, and the way to the explorer. */
import { groupColour } from "../../charts/groups.js";
import { button } from "../../ui/controls.js";
import { el } from "../../ui/dom.js";
import { percent } from "../../ui/format.js";
import { PatchPicture } from "../../ui/patch-picture.js";
import { probeName } from "../../ui/probe-scores.js";
import { createNeighbours } from "./neighbours.js";
import { createPatches } from "./patches.js";
import { currentPredictions } from "./state.js";

/** @typedef {import("./state.js").State} State */
/** @typedef {import("./actions.js").Actions} Actions */

const LABEL =
  "The chosen picture, as the model sees it. Click a patch, or move with the arrows and press " +
  "Enter, for the most similar patches of all pictures.";

/** A square in the colour of a group. @param {number} group */
export const swatch = (group) =>
  el("i", { class: "inside-swatch", style: `background:rgb(${groupColour(group)})` });

/** @param {State} state @param {Actions} actions */
export function createChosen(state, actions) {
  const picture = new PatchPicture({
    from: () => patches.at,
    label: LABEL,
    onpin: (row, col) => patches.find(row, col),
    describe: () => "find patches like this",
  });
  picture.node.classList.add("inside-gallery-picture");
  const patches = createPatches(state, picture, actions),
    neighbours = createNeighbours(state, actions);
  picture.key = (event) => patches.key(event); // moves a patch of this picture, not the page's own

  const title = el("h2"),
    names = el("dl", { class: "inside-gallery-kind" });
  const open = button(
    "Open in the explorer",
    actions.openInExplorer,
    "As if it had been uploaded: all other screens show it",
  );
  const node = el(
    "section",
    { class: "inside-gallery-side", "aria-label": "The chosen picture" },
    el(
      "div",
      { class: "inside-gallery-chosen" },
      picture.node,
      el("div", { class: "inside-gallery-facts" }, title, names, open),
    ),
    ...neighbours.nodes,
    ...patches.nodes,
  );

  function drawPicture() {
    const { shown, chosen } = state;
    if (!shown || chosen === null) return;
    picture.show(shown.data.url(`pictures/${chosen}.jpg`), shown.gallery.facts.grid, [1, 1]);
    patches.forget();
  }

  function drawTitle() {
    const { shown, chosen } = state;
    if (!shown || chosen === null) return;
    const name = shown.names.of(chosen);
    picture.picture.alt = name;
    title.textContent = name.split("/").at(-1) ?? "";
    title.title = name;
  }

  return {
    node,
    patches,
    /** @param {Partial<State>} change */
    draw(change) {
      if (!state.shown) return;
      if ("chosen" in change) drawPicture();
      if ("chosen" in change || "named" in change) drawTitle();
      names.replaceChildren(...namesOf(state));
      neighbours.draw(change);
    },
  };
}

/**
 * What the picture is called, and by whom: its label is what a person gave it, the rest is what is
 * read off the features.
 *
 * @param {State} state
 */
function namesOf(state) {
  const { shown, chosen } = state;
  if (!shown || chosen === null) return [];
  const { labels, facts } = shown.gallery,
    label = labels[chosen],
    found = currentPredictions(state),
    said = found?.labels[chosen] ?? -1;
  const lines = [
    el("dt", { text: "Label" }),
    label >= 0 ? el("dd", {}, swatch(label), facts.classes[label]) : el("dd", { text: "none" }),
  ];
  if (found && said >= 0)
    lines.push(
      el("dt", {
        text: "Predicted",
        title: `by ${probeName(state)}, learned without this picture`,
      }),
      el(
        "dd",
        {},
        swatch(said),
        `${facts.classes[said]}, ${percent(found.confidence[chosen], 0)} sure`,
        el("small", { text: `by ${probeName(state)}` }),
      ),
    );
  return lines;
}
