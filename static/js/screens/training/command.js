/* The command that repeats the open run. */
import { el } from "../../ui/dom.js";

export function createCommand() {
  const command = el("pre", {
    class: "inside-code",
    tabindex: "0",
    "aria-label": "The command that repeats this run",
  });
  const node = el(
    "details",
    { class: "inside-more" },
    el("summary", { text: "The command that repeats this run" }),
    command,
  );
  return {
    node,
    /** @param {import("./state.js").RunDetails} run */
    draw(run) {
      command.textContent = run.command;
      node.hidden = !run.command;
    },
  };
}
