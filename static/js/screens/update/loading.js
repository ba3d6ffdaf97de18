/* What the screen asks the server for: the schedules of a preset or of the open run, and its two
   networks. */
import { chartForm } from "../../charts/theme.js";
import { Problem, sentenceOf } from "../../page/errors.js";
import { kept } from "../../page/link.js";
import { fetchScene, requestJson } from "../../page/scenes.js";
import { selection } from "../../page/selection.js";
import { spaced } from "../../ui/format.js";
import { addressOf, nearestStep, OPEN_RUN } from "./state.js";

/** @typedef {import("./state.js").State} State */
/** @typedef {{ name: string, kind: string, step: number, command: string }} Run */

const NO_RUN =
  "Nothing was trained here yet. Start a run on the Training screen: its newest checkpoint has " +
  "both networks, and the distance of each layer is shown here.";
const NO_TEACHER =
  "In the open run no teacher follows: it is a fine-tuning or a distillation. Open a run without " +
  "labels on the Training screen.";
const NO_CHECKPOINT = "The open run has no checkpoint yet: the first milestone writes one.";

/**
 * @param {State} state
 * @param {(change: Partial<State>) => void} update
 */
export function createLoading(state, update) {
  /** Whose schedules were asked for last. */
  let asked = { source: "", address: "" };

  /**
   * @param {string} source a preset, or OPEN_RUN for the run that is open
   * @param {number | null} wanted the step where the cursor is to stand; null: where the run is, or
   *   where the warm-up ends
   */
  async function loadSchedules(source, wanted) {
    const run = source === OPEN_RUN ? await openRun() : null,
      address = addressOf(run ? { run: run.name } : { preset: source });
    if (state.scene && asked.address === address) return;
    const now = (asked = { source, address });
    const [scene, charts] = await Promise.all([
      /** @type {Promise<import("./state.js").ScheduleScene>} */ (fetchScene(address)),
      fetchCharts(address),
    ]);
    if (asked !== now) return; // overtaken
    const at = nearestStep(scene.steps, wanted ?? (run?.step || scene.facts.warmup));
    update({ source, run: run?.name ?? null, scene, charts, at });
  }

  /** What to show where nobody has chosen: the open run's schedules, or else these. @param {string} preset */
  async function followed(preset) {
    const offered = (await openRun()) !== null;
    update({ offered });
    return offered ? OPEN_RUN : preset;
  }

  /** The same in the colours of a page that has turned light or dark. */
  async function loadCharts() {
    const now = asked,
      charts = await fetchCharts(now.address);
    if (asked === now) update({ charts });
  }

  async function loadDistance() {
    const run = selection.run ?? kept("run") ?? (await newestRun());
    const found = run ? await distanceIn(run).catch(messageOf) : NO_RUN;
    if (typeof found === "string") update({ distance: null, distanceNote: found });
    else update({ distance: found, distanceNote: noteOf(found) });
  }
  return { loadSchedules, followed, loadCharts, loadDistance };
}

/** The run that is open on the page, where it has schedules of its own. @returns {Promise<Run | null>} */
async function openRun() {
  const name = selection.run ?? kept("run");
  if (!name) return null;
  /** @type {Promise<Run>} */
  const asked = requestJson(`runs/${name}`);
  const run = await asked.catch(gone);
  return run?.kind === "pretraining" && run.command ? run : null; // it has begun
}

/** There is no such run any more. @param {unknown} error */
function gone(error) {
  if (error instanceof Problem) return null;
  throw error;
}

/** @param {string} address @returns {Promise<import("../../types/plotly").Charts>} */
const fetchCharts = (address) => requestJson(`${address}?form=${chartForm()}`);

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
