/* The clusters with their colours and sizes: press one to see it alone. */
import { el } from "../../../ui/dom.js";
import { percent } from "../../../ui/format.js";
import { roving } from "../../../ui/roving.js";

/** @param {(alone: number | null) => void} onchoose */
export function createChips(onchoose) {
  const node = el("div", {
    class: "inside-chips",
    role: "group",
    "aria-label": "Clusters: press one to see it alone",
  });
  /** @type {HTMLButtonElement[]} */
  let chips = [];
  /** @type {import("./state.js").LoadedMap["clusters"] | null} */
  let drawn = null;

  /**
   * @param {number} size
   * @param {number} cluster
   * @param {import("./state.js").LoadedMap["clusters"]} clusters
   */
  const chip = (size, cluster, { facts, labels }) =>
    el(
      "button",
      {
        type: "button",
        "data-cluster": cluster,
        title: "Show this cluster alone",
        onclick: (event) => {
          const { currentTarget: pressed } = event;
          const isAlone =
            pressed instanceof Element && pressed.getAttribute("aria-pressed") === "true";
          onchoose(isAlone ? null : cluster);
        },
      },
      el("i", { style: `background:rgb(${facts.colours[cluster].join(" ")})` }),
      el("span", { text: `Cluster ${cluster}` }),
      el("small", { text: `${size} (${percent(size / labels.length, 0)})` }),
    );

  return {
    node,
    /** @param {import("./state.js").LoadedMap} loaded @param {number | null} alone */
    draw({ clusters }, alone) {
      if (drawn !== clusters) {
        drawn = clusters;
        chips = clusters.facts.sizes.map((size, cluster) => chip(size, cluster, clusters));
        node.replaceChildren(...chips);
        roving(chips, chips.length, alone ?? 0);
      }
      chips.forEach((one, cluster) => one.setAttribute("aria-pressed", String(cluster === alone)));
    },
  };
}
