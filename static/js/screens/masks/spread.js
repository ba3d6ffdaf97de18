/* The shares of a batch's masked crops on a line that is cut into as many equal parts: one in each. */
import { el } from "../../ui/dom.js";
import { percent } from "../../ui/format.js";

export function createSpread() {
  const node = el("div", { class: "inside-spread" });
  return {
    node,

    /** @param {import("./state.js").MasksScene["facts"]} facts */
    draw({ batch_masks: all, config, grid }) {
      const [low, high] = config.ratio,
        P = grid[0] * grid[1],
        masked = all.filter(({ target }) => target > 0),
        shares = masked.map(({ target }) => percent(target / P, 0)).sort();
      const dots = masked.map(({ target }) =>
        el("i", {
          style: `left:${(100 * (target / P - low)) / (high - low)}%`,
          title: `${target} patches, ${percent(target / P)}`,
        }),
      );
      node.replaceChildren(
        el("p", {
          class: "inside-note",
          text:
            `The range from ${percent(low, 0)} to ${percent(high, 0)} is cut into ` +
            `${masked.length} equal parts, and each masked crop draws its share from a ` +
            "part of its own:",
        }),
        el(
          "div",
          {
            class: "line",
            role: "img",
            "aria-label": `Shares wanted: ${shares.join(", ")}`,
            style: `--parts:${masked.length}`,
          },
          ...dots,
        ),
        el(
          "div",
          { class: "ends" },
          ...[low, (low + high) / 2, high].map((share) => el("span", { text: percent(share, 0) })),
        ),
      );
    },
  };
}
