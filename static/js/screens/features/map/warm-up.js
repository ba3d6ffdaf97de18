/* Asks whether UMAP is warm, as long as somebody looks at the map. */

const EVERY = 2500; // ms

/** @param {import("../state.js").Screen} screen */
export function createWarmUp({ state, update, reload, run, isSeen, lookAround }) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;

  const isSettled = () => ["ready", "broken"].includes(state.around.umap);
  function watch() {
    clearTimeout(timer);
    if (!isSettled()) timer = setTimeout(() => void run(ask), EVERY);
  }
  async function ask() {
    if (isSeen() && state.mode === "map") {
      await lookAround().catch(() => null); // asked again in a while
      if (state.around.umap === "ready" && state.map.choice.method === "umap") return reload();
      update({});
    }
    watch();
  }
  return { watch };
}
