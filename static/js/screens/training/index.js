/* Training: start a run, watch it, steer it. */
import { bus } from "../../page/bus.js";
import { speakOf } from "../../page/lesson.js";
import { kept } from "../../page/link.js";
import { isOpen } from "../../page/screens.js";
import { select, selection } from "../../page/selection.js";
import { createCheckpoints } from "./checkpoints.js";
import { createCommand } from "./command.js";
import { createCurves } from "./curves.js";
import { createExports } from "./exports.js";
import { exposed } from "./exposed.js";
import { createForm } from "./form.js";
import { createLayout } from "./layout.js";
import { createGradientShares } from "./gradient-shares.js";
import { fillTrainingLesson } from "./lesson.js";
import { createList } from "./list.js";
import { createModels } from "./models.js";
import { createNaming } from "./naming.js";
import { createModelTrial, createPredict } from "./predict.js";
import { createProgress } from "./progress.js";
import { createReport } from "./report.js";
import { createState } from "./state.js";
import { createSteering } from "./steering.js";
import { createTogether } from "./together.js";
import { createWatching } from "./watching.js";

/** @typedef {import("./state.js").State} State */
/** @typedef {import("./state.js").Opened} Opened */

/**
 * @param {HTMLElement} root
 * @param {import("../../page/screens.js").Page} page
 * @returns {import("../../page/screens.js").ScreenParts}
 */
export function create(root, page) {
  const { state, update } = createState(render);
  const form = createForm((started) => page.run(() => watching.open(started.name)));
  const watching = createWatching(state, update, form.offer);
  const list = createList((name) => page.run(() => watching.open(name))),
    progress = createProgress(),
    steering = createSteering(steer, (problem) => update({ problem })),
    models = createModels(page.run),
    naming = createNaming(() => watching.refresh()),
    curves = createCurves(page.run),
    gradients = createGradientShares(page.run),
    report = createReport(update, page.run),
    predict = createPredict(page.run),
    trial = createModelTrial(page.run),
    checkpoints = createCheckpoints((moment) => update({ moment })),
    repeat = createCommand(),
    together = createTogether(),
    take = createExports(state, curves.sheet);
  const layout = createLayout({
    beginning: [form.node, list.node],
    opened: [
      progress.top,
      steering.node,
      models.node,
      progress.verdict,
      progress.mended,
      naming.node,
      curves.node,
      gradients.node,
    ],
    below: [report.node, predict.node, checkpoints.node, take.node, repeat.node],
  });
  root.append(layout.columns, layout.below, trial.node, together.node);
  speakOf("training", form.exposed.kind);

  /** @param {State} now @param {Partial<State>} change */
  function render(now, change) {
    list.draw(now.runs);
    together.draw(now.runs);
    layout.draw(now);
    if (now.run) {
      const opened = /** @type {Opened} */ (now);
      if (change.run || change.lines) drawRun(opened);
      report.draw(opened, change);
    }
    page.expose(exposed(now, form.exposed, report.layers));
  }

  /** @param {Opened} opened */
  function drawRun(opened) {
    for (const part of [progress, curves, gradients, checkpoints]) part.draw(opened);
    for (const part of [steering, models, naming, predict, repeat, take]) part.draw(opened.run);
    speakOf("training", opened.run.kind);
    fillTrainingLesson(opened.lines);
  }

  /** @param {import("../../types/runs").RunAction} action */
  async function steer(action) {
    const later = await watching.steer(action);
    if (later) progress.asked(action);
    return later;
  }

  bus.on("screen", ({ name }) => {
    if (name === page.name) page.run(watching.refresh);
  });
  document.addEventListener("visibilitychange", () => {
    if (isOpen(page.name)) watching.again();
  });

  return {
    async show(view) {
      form.follow(view);
      for (const one of [predict, trial]) one.look(view);
      if (!selection.run) select({ run: kept("run") });
      await watching.refresh();
    },
  };
}
