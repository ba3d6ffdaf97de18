/* What the screen shows, as tests read it. */
import { lossesOf, sceneOf, visitAt } from "./state.js";

/** @param {import("./state.js").Loaded} state */
export function exposed(state) {
  const { view, options, row, at, making, playing, beside } = state,
    scene = sceneOf(state);
  if (!scene) return {};
  const { facts } = scene,
    visit = visitAt(scene, at),
    source = facts.functions[visit.function];
  return {
    key: view.key,
    pair: options.pair,
    seed: facts.seed,
    number: facts.number,
    steps: row.length,
    at,
    visits: facts.visits.length,
    line: visit.first,
    file: source.file,
    text: source.lines[visit.first - source.first].trim(),
    view: visit.view,
    making: making !== null,
    playing,
    before: facts.before,
    after: facts.after,
    losses: row.map(lossesOf),
    beside: beside?.of === scene ? { pair: beside.pair, ...lossesOf(beside.scene) } : null,
    rate: facts.values.learning_rate,
    targets: facts.targets_by,
    weights: facts.weights,
  };
}
