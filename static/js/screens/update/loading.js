/* What the screen asks the server for: a preset's schedules, and the open run's two networks. */
import { chartForm } from "../../charts/theme.js";
import { Problem, sentenceOf } from "../../page/errors.js";
import { kept } from "../../page/link.js";
import { fetchScene, requestJson } from "../../page/scenes.js";
import { selection } from "../../page/selection.js";
import { spaced } from "../../ui/format.js";
import { nearestStep } from "./state.js";

/** @typedef {import("./state.js").State} State */
/** @typedef {{ name: string, kind: string, step: number }} Run */

const NO_RUN =
  "Nothing was trained here yet. Start a run on the Training screen: its newest checkpoint has " +
  "both networks, and the distance of each layer is shown here.";
const NO_TEACHER =
  "In the open run no teacher follows: it is a fine-tuning or a distillation. Open a run without " +
  "labels on the Training screen.";
const NO_CHECKPOINT = "The open run has no checkpoint yet: the first milestone writes one.";

/** @param {(change: Partial<State>) => void} update */
export function createLoading(update) {
  let asked = "";

  /**
   * @param {string} preset
   * @param {number | null} wanted the step where the cursor is to stand; null: where the warm-up ends
   */
  async function loadSchedules(preset, wanted) {
    asked = preset;
    const [scene, charts] = await Promise.all([
      /** @type {Promise<import("./state.js").ScheduleScene>} */ (
        fetchScene(`schedules/${preset}`)
      ),
      fetchCharts(preset),
    ]);
    if (asked !== preset) return; // overtaken
    update({ scene, charts, at: nearestStep(scene.steps, wanted ?? scene.facts.warmup) });
  }

  /** The same in the colours of a page that has turned light or dark. */
  async function loadCharts() {
    const preset = asked,
      charts = await fetchCharts(preset);
    if (asked === preset) update({ charts });
  }

  async function loadDistance() {
    const run = selection.run ?? kept("run") ?? (await newestRun());
    const found = run ? await distanceIn(run).catch(messageOf) : NO_RUN;
    if (typeof found === "string") update({ distance: null, distanceNote: found });
    else update({ distance: found, distanceNote: noteOf(found) });
  }
  return { loadSchedules, loadCharts, loadDistance };
}

/** @param {string} preset @returns {Promise<import("../../types/plotly").Charts>} */
const fetchCharts = (preset) => requestJson(`schedules/${preset}?form=${chartForm()}`);

/** The newest run that has anything to show. */
async function newestRun() {
  const { runs } = await /** @type {Promise<{ runs: Run[] }>} */ (requestJson("runs"));
  return runs.find(({ kind, step }) => kind === "pretraining" && step > 0)?.name ?? null;
}

/** @param {string} run @returns {Promise<import("./teacher.js").Distance | string>} */
async function distanceIn(run) {
  const { kind, step } = await /** @type {Promise<Run>} */ (requestJson(`runs/${run}`));
  if (kind !== "pretraining") return NO_TEACHER;
  if (!step) return NO_CHECKPOINT;
  /** @type {Omit<import("./teacher.js").Distance, "run">} */
  const distance = await requestJson(`runs/${run}/distance`);
  return { run, ...distance };
}

/** A refusal is no fault of the screen: it stands where the numbers would. @param {unknown} error */
function messageOf(error) {
  if (error instanceof Problem) return sentenceOf(error);
  throw error;
}

/** @param {import("./teacher.js").Distance} distance */
const noteOf = ({ run, step }) =>
  `Run ${run}, checkpoint after step ${spaced(step)}. Length of the difference of all weights ` +
  "of a layer, as a share of the length of the student's. The tokens begin at almost " +
  "nothing, so theirs is large early in a run.";
