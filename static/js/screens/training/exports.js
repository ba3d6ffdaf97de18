/* What can be taken from the screen: always of the run that is open. */
import { exportBar } from "../../page/export.js";
import { el } from "../../ui/dom.js";

/** @typedef {import("./state.js").State} State */
/** @typedef {import("./state.js").RunDetails} RunDetails */

/**
 * @param {State} state
 * @param {() => Promise<HTMLCanvasElement>} png
 */
export function createExports(state, png) {
  const weights = el("a", {
    class: "inside-button",
    hidden: true,
    text: "Weights",
    title: "What came out, as safetensors",
  });
  const bar = exportBar("training", {
    png,
    csv: () => metricsTable(state.lines),
    python: () => pythonLines(state.run),
  });
  bar.node.firstElementChild?.prepend(weights);
  return {
    node: bar.node,
    /** @param {RunDetails} run */
    draw({ name, weights: file }) {
      weights.hidden = !file;
      weights.href = `runs/${name}/weights`;
      weights.textContent = file?.startsWith("step-") ? "Checkpoint" : "Weights";
      bar.refresh();
    },
  };
}

/**
 * A line a step; what is nested gets a name with dots.
 *
 * @param {readonly Record<string, unknown>[]} lines
 */
function metricsTable(lines) {
  const flat = lines.map((line) => new Map(flatten(line))),
    names = [...new Set(flat.flatMap((line) => [...line.keys()]))];
  const rows = flat.map((line) => names.map((name) => line.get(name) ?? "").join(","));
  return `${[names.join(","), ...rows].join("\n")}\n`;
}

/** @param {object} values @param {string} [start] @returns {[string, unknown][]} */
const flatten = (values, start = "") =>
  Object.entries(values).flatMap(([name, value]) =>
    value instanceof Object
      ? flatten(value, `${start}${name}.`)
      : [/** @type {[string, unknown]} */ ([start + name, value])],
  );

/** @param {RunDetails | null} run */
function pythonLines(run) {
  const folder = `runs/${run?.name ?? "NAME"}`;
  if (run?.kind === "fine-tuning")
    return `import json
from pathlib import Path

report = json.loads(Path("${folder}/report.json").read_text())
print(report["accuracy"], report["confusion"])`;
  const taught = run?.kind === "distillation";
  return `from dino_core.runs.folder import read_metrics
from dino_core.${taught ? "distillation.verdict" : "step.metrics"} import diagnose

lines = read_metrics("${folder}")
print(lines[-1]["step"], lines[-1].get("${taught ? "agreement" : "logged"}"))
print(diagnose(lines))`;
}
