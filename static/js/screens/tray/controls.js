/* What comes into the tray: pictures as rows, views as columns. */
import { button, pick, slider } from "../../ui/controls.js";
import { el } from "../../ui/dom.js";
import { fileButton } from "../../ui/upload.js";
import { createColouring } from "./colouring.js";
import { VIEWS } from "./columns.js";
import { createModels } from "./models.js";
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
 * @param {import("./actions.js").Actions["addColumn"]} actions.oncolumn
 * @param {(name: string) => unknown} actions.onmodel
 * @param {(name: string) => unknown} actions.onmodelgone
 * @param {(next: Partial<State["colouring"]>) => unknown} actions.oncolours
 */
export function createControls({ onfiles, onsample, oncolumn, onmodel, onmodelgone, oncolours }) {
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
      model: models.chosen(),
    }),
  );
  const colouring = createColouring(oncolours);
  const models = createModels({ onadd: onmodel, onremove: onmodelgone });
  let isAlone = true; // the page's model
  function heads() {
    const chosen = view.input.value;
    head.node.hidden = !chosen.startsWith("attention");
    layer.node.hidden = chosen === "input";
    models.of.hidden = isAlone || ["input", "difference"].includes(chosen);
  }
  heads();
  let layers = 0,
    count = 0;

  return {
    node: el(
      "div",
      { class: "inside-stack" },
      el("div", { class: "inside-controls" }, files, samples.node, models.add, models.list),
      el("div", { class: "inside-controls" }, view.node, models.of, layer.node, head.node, add),
      colouring.node,
    ),
    /** @param {import("./adding.js").Choices} choices */
    offer(choices) {
      samples.fill(sampleChoices(choices), NONE);
      models.offer(choices);
    },
    /** @param {State} state */
    draw(state) {
      const { view: open, rows, columns, others } = state;
      colouring.draw(state);
      add.disabled = columns.length >= MOST;
      for (const input of files.querySelectorAll("input")) input.disabled = rows.length >= MOST;
      models.draw(state);
      isAlone = !others.length;
      heads();
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
