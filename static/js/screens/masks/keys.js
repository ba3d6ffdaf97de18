/* What the keys do on the picture: step through the blocks, play, let go of a mask of the batch. */
import { currentMask, isLoaded, stepNow, toStep } from "./state.js";

/**
 * @param {KeyboardEvent} event
 * @param {object} screen
 * @param {import("./state.js").State} screen.state
 * @param {import("./state.js").Update} screen.update
 * @param {ReturnType<typeof import("./player.js").createPlayer>} screen.player
 * @param {(index: number | null) => void} screen.pick
 */
export function pressKey(event, { state, update, player, pick }) {
  if (!isLoaded(state)) return;
  const now = stepNow(state),
    to = {
      ArrowRight: now + 1,
      ArrowUp: now + 1,
      ArrowLeft: now - 1,
      ArrowDown: now - 1,
      Home: 0,
      End: currentMask(state).blocks.length,
    }[event.key];
  if (to !== undefined) {
    player.stop();
    update(toStep(state, to));
  } else if (event.key === " ") player.toggle();
  else if (event.key === "Escape" && state.member !== null) pick(null);
  else return;
  event.preventDefault();
}
