/* Another seed, and how blur is understood. */
import { button, choice } from "../../ui/controls.js";
import { el } from "../../ui/dom.js";

/**
 * @param {import("./state.js").State} state
 * @param {import("./state.js").Update} update
 * @param {() => unknown} load
 */
export function createControls(state, update, load) {
  const seed = el("span", { class: "inside-value" }),
    again = button(
      "Draw again",
      () => document.getElementById("again")?.click(),
      "The next seed, for all screens",
    );
  const blurs = choice(
    "Blur",
    /** @type {const} */ ([
      ["as run", "Blur as it runs"],
      ["as written", "As it is written"],
    ]),
    state.blur,
    (blur) => {
      update({ blur });
      load();
    },
  );
  return {
    node: el("div", { class: "inside-controls" }, again, seed, blurs.node),
    /** @param {import("./state.js").Loaded} loaded */
    draw({ shown }) {
      seed.textContent = `Seed ${shown.seed}`;
    },
  };
}
