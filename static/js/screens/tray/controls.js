/* What comes into the tray: pictures as rows, views as columns. */
import { button, pick, slider } from "../../ui/controls.js";
import { el } from "../../ui/dom.js";
import { fileButton } from "../../ui/upload.js";
import { createColouring } from "./colouring.js";
import { VIEWS } from "./columns.js";
import { nameOfSample } from "./adding.js";
import { MOST } from "./state.js";

/** @typedef {import("./state.js").State} State */

const NONE = "";
/** @typedef {readonly (readonly [string, string])[]} Choices */

/** @param {import("./adding.js").Choices} choices @returns {Choices} */
const sampleChoices = ({ samples }) => [
  [NONE, "Add a sample"],
  .../** @type {[string, string][]} */ (
    samples.map(([id, title]) => [id, title || nameOfSample(id)])
  ),
];

/** @param {number} count @returns {Choices} */
const headChoices = (count) => [
  ["mean", "Mean"],
  .../** @type {[string, string][]} */ (
    Array.from({ length: count }, (_, i) => [String(i), String(i)])
  ),
];

/**
 * @param {object} actions
 * @param {(files: File[]) => unknown} actions.onfiles
 * @param {(id: string) => unknown} actions.onsample
 * @param {(choice: string, at: { layer: number, head: number | null }) => unknown} actions.oncolumn
 * @param {(model: string) => unknown} actions.onsecond
 * @param {(next: Partial<State["colouring"]>) => unknown} actions.oncolours
 */
export function createControls({ onfiles, onsample, oncolumn, onsecond, oncolours }) {
  const files = fileButton("Add pictures", onfiles, {
    several: true,
    title: "Several at once, or a zip; they can be dropped here as well",
  });
  const samples = pick("Sample", [[NONE, "Add a sample"]], NONE, (id) => {
    samples.set(NONE);
    if (id) onsample(id);
  });
  const view = pick("Column", VIEWS, VIEWS[0][0], () => heads());
  const layer = slider("Layer", { max: 11, value: 11, oninput: () => {} });
  const head = pick("Head", [["mean", "Mean"]], "mean", () => {});
  const add = button("Add column", () =>
    oncolumn(view.input.value, {
      layer: Number(layer.input.value),
      head: head.input.value === "mean" ? null : Number(head.input.value),
    }),
  );
  const colouring = createColouring(oncolours);
  const second = pick("Second model", [[NONE, "None"]], NONE, onsecond);
  const of = {
    head: head.node,
    layer: layer.node,
  };
  function heads() {
    of.head.hidden = !view.input.value.startsWith("attention");
    of.layer.hidden = view.input.value === "input";
  }
  heads();
  let layers = 0,
    count = 0;

  return {
    node: el(
      "div",
      { class: "inside-stack" },
      el("div", { class: "inside-controls" }, files, samples.node, second.node),
      el("div", { class: "inside-controls" }, view.node, layer.node, head.node, add),
      colouring.node,
    ),
    /** @param {import("./adding.js").Choices} choices */
    offer(choices) {
      samples.fill(sampleChoices(choices), NONE);
      second.fill([[NONE, "None"], ...choices.models], NONE);
    },
    /** @param {State} state */
    draw(state) {
      const { view: open, rows, columns, second: chosen } = state;
      colouring.draw(state);
      add.disabled = columns.length >= MOST;
      for (const input of files.querySelectorAll("input")) input.disabled = rows.length >= MOST;
      second.set(chosen);
      if (!open) return;
      if (layers !== open.layers) {
        layers = open.layers;
        layer.limit(layers - 1);
        layer.set(layers - 1);
      }
      if (count === open.heads) return;
      count = open.heads;
      head.fill(headChoices(count), "mean");
    },
  };
}
