/* The screening as the server does it: begun, followed to its end, stopped. */
import { fetchScene, requestJson, sceneUrl } from "../../page/scenes.js";

/** @typedef {import("./state.js").State} State */
/** @typedef {import("./state.js").View} View */

const EVERY = 600; // ms between two questions how far it is

/** @param {View} view */
const addressOf = ({ key, seed }) => sceneUrl(key, "whatif/screening", { seed });

/**
 * What was found of heads or blocks.
 *
 * @param {View} view
 * @param {"heads" | "blocks"} parts
 * @returns {Promise<import("./state.js").ScreeningScene>}
 */
const fetchFound = ({ key, seed }, parts) =>
  fetchScene(sceneUrl(key, `whatif/screening/${parts}`, { seed }));

/**
 * @param {State} state
 * @param {(change: Partial<State>) => void} update
 * @param {() => boolean} isSeen
 */
export function createScreeningWork(state, update, isSeen) {
  let asked = 0;

  /** Begins it, or takes what is there, and follows it to its end. */
  async function start() {
    const { view } = state;
    if (!view) return;
    const mine = ++asked;
    const isOvertaken = () => mine !== asked || state.view !== view;
    /** @type {NonNullable<State["screening"]>} */
    let screening = await requestJson(addressOf(view), { method: "POST" }, { repeatable: true });
    while (!isOvertaken()) {
      if (screening.state === "ready") return take(view, screening, isOvertaken);
      update({ screening });
      if (screening.state !== "waiting" && screening.state !== "running") return;
      await new Promise((resolve) => setTimeout(resolve, EVERY));
      if (isSeen()) screening = await requestJson(addressOf(view));
    }
  }

  /** @param {View} view @param {State["screening"]} screening @param {() => boolean} isOvertaken */
  async function take(view, screening, isOvertaken) {
    const heads = await fetchFound(view, "heads"),
      blocks = await fetchFound(view, "blocks");
    if (isOvertaken()) return;
    update({ screening, effects: { key: view.key, seed: view.seed, heads, blocks } });
  }

  return {
    start,
    async stop() {
      if (!state.view) return;
      asked += 1;
      const address = addressOf(state.view);
      update({ screening: await requestJson(address, { method: "DELETE" }, { repeatable: true }) });
    },
  };
}
