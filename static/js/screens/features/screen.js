/* What each way of looking is handed of the screen. */
import { ServerError } from "../../page/errors.js";
import { requestJson, sceneUrl } from "../../page/scenes.js";
import { createPointing } from "./pointing.js";

/**
 * @param {HTMLElement} root
 * @param {import("../../page/screens.js").Page} page
 * @param {Pick<import("./state.js").Screen, "state" | "update" | "reload">} parts
 * @returns {import("./state.js").Screen}
 */
export function createScreen(root, page, { state, update, reload }) {
  return {
    state,
    update,
    reload,
    run: page.run,
    isSeen: () => root.offsetParent !== null,
    pointing: createPointing(state, update),
    async lookAround() {
      if (!state.view) return state.around;
      try {
        state.around = await requestJson(sceneUrl(state.view.key, "around"));
      } catch (error) {
        if (!(error instanceof ServerError)) throw error; // else what is known stays
      }
      return state.around;
    },
  };
}
