/* The screening as the server does it: begun, followed to its end, stopped. */
import { fetchScene, requestJson, sceneUrl } from "../../page/scenes.js";
import { referenceOf, SAMPLES } from "./references.js";
import { overOf } from "./screening-choice.js";

/** @typedef {import("./state.js").State} State */
/** @typedef {import("./state.js").View} View */

const EVERY = 600; // ms between two questions how far it is
const UNSEEN = 15; // of them are left out while another screen is open: it goes on, and is asked about

/**
 * Where a screening is, or what it has found of heads or blocks.
 *
 * @param {State & { view: View }} state
 * @param {"heads" | "blocks"} [parts]
 * @param {Record<string, string>} [query]
 */
export function screeningAddress(state, parts, query = {}) {
  const { key, seed } = state.view,
    { name, most } = overOf(state),
    reference = referenceOf(state);
  return sceneUrl(key, `whatif/screening${parts ? `/${parts}` : ""}`, {
    seed,
    ...(name && { over: name, most }),
    ...(reference !== SAMPLES && { reference }),
    ...query,
  });
}

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
    const mine = ++asked,
      address = screeningAddress({ ...state, view });
    const isOvertaken = () =>
      mine !== asked || state.view !== view || screeningAddress({ ...state, view }) !== address;
    /** @type {NonNullable<State["screening"]>} */
    let screening = await requestJson(address, { method: "POST" }, { repeatable: true });
    for (let turn = 0; !isOvertaken(); turn++) {
      if (screening.state === "ready") return take(view, screening, isOvertaken);
      if (isSeen()) update({ screening });
      if (screening.state !== "waiting" && screening.state !== "running") return;
      await new Promise((resolve) => setTimeout(resolve, EVERY));
      if (isOvertaken()) return;
      if (isSeen() || turn % UNSEEN === 0) screening = await requestJson(address);
    }
  }

  /** @param {View} view @param {State["screening"]} screening @param {() => boolean} isOvertaken */
  async function take(view, screening, isOvertaken) {
    const place = { ...state, view };
    /** @type {[import("./state.js").ScreeningScene, import("./state.js").ScreeningScene]} */
    const [heads, blocks] = [
      await fetchScene(screeningAddress(place, "heads")),
      await fetchScene(screeningAddress(place, "blocks")),
    ];
    if (isOvertaken()) return;
    update({ screening, effects: { of: screeningAddress(place), heads, blocks } });
  }

  return {
    start,
    async stop() {
      const { view } = state;
      if (!view) return;
      asked += 1;
      const address = screeningAddress({ ...state, view });
      update({ screening: await requestJson(address, { method: "DELETE" }, { repeatable: true }) });
    },
  };
}
