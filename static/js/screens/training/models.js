/* What a run has learnt as a model of the page: opened on every screen, or beside the preview. */
import { addFromRun, compareWith, openModel } from "../../page/checkpoints.js";
import { createExporting } from "../../page/exporting.js";
import { openScreen } from "../../page/screens.js";
import { button, pick } from "../../ui/controls.js";
import { el } from "../../ui/dom.js";

/** @typedef {import("./state.js").RunDetails} RunDetails */

const LAST = "last";

/**
 * @param {(work: () => Promise<unknown>) => unknown} run tells what goes wrong
 */
export function createModels(run) {
  let name = "",
    drawn = "";
  const which = pick("Weights", [], LAST, () => {}),
    open = button("Open this model", () => ask(false)),
    compare = button("Compare with the preview", () => ask(true));
  const exporting = createExporting(async () => (await add()).name);
  const node = el(
    "div",
    { class: "inside-stack inside-run-models", hidden: true },
    el("div", { class: "inside-controls" }, which.node, open, compare),
    el(
      "details",
      { class: "inside-more" },
      el("summary", { text: "Export this model" }),
      exporting.node,
    ),
  );

  function add() {
    const step = which.input.value === LAST ? null : Number(which.input.value);
    return addFromRun(name, step);
  }

  /** @param {boolean} beside the preview */
  function ask(beside) {
    open.disabled = compare.disabled = true;
    run(async () => {
      try {
        const model = await add();
        openModel(model.name);
        if (beside) compareWith(model.compare_with);
        else openScreen("attention");
      } finally {
        open.disabled = compare.disabled = false;
      }
    });
  }

  return {
    node,
    /** @param {RunDetails} now */
    draw({ name: next, weights, kept_steps: steps }) {
      node.hidden = !weights;
      const newest = weights?.startsWith("step-") ? steps.at(-1) : null,
        text = `${next} ${weights} ${steps.join()}`;
      if (text === drawn) return;
      if (next !== name) exporting.forget();
      const chosen = next === name ? which.input.value : LAST;
      [name, drawn] = [next, text];
      const others = steps
        .filter((step) => step !== newest)
        .reverse()
        .map((step) => /** @type {const} */ ([String(step), `step ${step}`]));
      const words = newest === null || newest === undefined ? "finished" : `newest, step ${newest}`;
      const all = /** @type {[string, string][]} */ ([[LAST, words], ...others]);
      which.fill(all, all.some(([value]) => value === chosen) ? chosen : LAST);
    },
  };
}
