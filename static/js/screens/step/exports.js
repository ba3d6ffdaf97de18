/* What can be taken from the screen: always of the step that it shows. */
import { whenDrawn } from "../../charts/plot.js";
import { NotShownYet } from "../../page/errors.js";
import { exportBar } from "../../page/export.js";
import { pictureFile } from "../../page/python.js";
import { snapshotOf } from "../../ui/snapshot.js";
import { sceneOf } from "./state.js";

/** @typedef {import("./state.js").State} State */
/** @typedef {import("./state.js").StepScene} StepScene */
/** @typedef {import("./state.js").View} View */

/**
 * @param {State} state
 * @param {(view: View, scene: StepScene) => string} npz
 * @param {HTMLElement} drawn what the line that is looked at holds
 */
export const createExports = (state, npz, drawn) =>
  exportBar("step", {
    async png() {
      const charts = /** @type {NodeListOf<HTMLElement>} */ (
        drawn.querySelectorAll(".inside-plot")
      );
      await Promise.all([...charts].map(whenDrawn));
      return snapshotOf(drawn);
    },
    npz: () => npz(...shown(state)),
    csv: () => layerTable(shown(state)[1]),
    python: () => pythonLines(...shown(state), state.options),
  });

/** @param {State} state @returns {[View, StepScene]} */
function shown(state) {
  const scene = sceneOf(state);
  if (!scene || !state.view) throw new NotShownYet();
  return [state.view, scene];
}

/** A line a layer: gradients, whose they are, and how far its weights moved. @param {StepScene} scene */
function layerTable(scene) {
  const { layers, terms } = scene.facts,
    m = terms.length;
  const head = [
    ...["layer", "gradient"],
    ...terms.flatMap((name) => [`gradient_${name}`, `share_${name}`]),
    ...["weights", "student_moved", "teacher_moved", "apart"],
  ];
  const lines = layers.map((name, i) => [
    ...[name, scene.gradient_norms[i]],
    ...terms.flatMap((_, j) => [scene.term_norms[i * m + j], scene.shares[i * m + j]]),
    ...[scene.weight_norms[i], scene.student_moved[i], scene.teacher_moved[i], scene.apart[i]],
  ]);
  return `${[head, ...lines].map((line) => line.join(",")).join("\n")}\n`;
}

/** @param {View} view @param {StepScene} scene @param {import("./state.js").Options} options */
function pythonLines(view, { facts }, { temperature, rate }) {
  const { weights } = facts;
  const given = [
    `seed=${facts.seed}`,
    `targets="${facts.targets_by}"`,
    ...(temperature === null ? [] : [`temperature=${temperature}`]),
    ...(rate === null ? [] : [`learning_rate=${rate}`]),
    `dino_weight=${weights.dino}`,
    `ibot_weight=${weights.ibot}`,
    `koleo_weight=${weights.koleo}`,
  ];
  const before = facts.number
    ? `for _ in range(${facts.number}):
    session.pass_over()
`
    : "";
  return `from dino_core import open_picture
from dino_core.runs.progress import open_pair
from dino_core.slow_motion import Choices, Session

pair, config, _ = open_pair("${facts.file}")
others = ${JSON.stringify(facts.companions.map(({ file }) => file))}
pictures = [open_picture("${pictureFile(view)}")]
pictures += [open_picture(f"static/samples/{name}") for name in others]
session = Session(pair, config, pictures, Choices(${given.join(", ")}))
${before}step = session.step()
print(step.result.terms, step.terms_after)
print(step.gradients.shares)  # [layer, loss]`;
}
