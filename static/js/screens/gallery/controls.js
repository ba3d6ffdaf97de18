/* What is set on the screen: the map, its colours, the layer, a search; the rest behind "More". */
import { choice, slider } from "../../ui/controls.js";
import { el } from "../../ui/dom.js";
import { rafThrottle } from "../../ui/frame.js";
import { FEATURES } from "../../ui/probe-scores.js";
import { COLOURS, METHODS, pairs } from "./state.js";

/** @typedef {import("./state.js").State} State */
/** @typedef {import("./actions.js").Actions} Actions */

/** @param {State} state @param {Actions} actions */
export function createControls(state, actions) {
  const methods = choice("Map", pairs(METHODS), state.method, actions.project),
    colours = choice("Colour", pairs(COLOURS), state.colour, (colour) =>
      actions.colour({ colour }),
    ),
    layer = slider("Layer", {
      max: 11,
      value: 11,
      oninput: rafThrottle((value) => actions.look({ layer: value })),
    });
  /** @type {HTMLInputElement} */
  const search = el("input", {
    type: "search",
    placeholder: "Name or label",
    "aria-label": "Search by file name or label",
    oninput: () => actions.find(search.value),
    onkeydown: (event) => {
      const [first] = state.selection.indices;
      if (event.key === "Enter" && first !== undefined) actions.pick(first);
    },
  });
  return {
    node: el(
      "div",
      { class: "inside-controls inside-gallery-controls" },
      methods.node,
      colours.node,
      layer.node,
      search,
    ),
    /** @param {Partial<State>} change */
    draw(change) {
      methods.set(state.method);
      colours.set(state.colour);
      if (!state.shown) return;
      if (change.shown) {
        const { layers, classes } = state.shown.gallery.facts;
        search.value = "";
        layer.limit(layers - 1);
        for (const button of colours.node.querySelectorAll("button"))
          button.disabled = !classes.length && button.dataset.value !== "cluster";
      }
      layer.set(state.layer);
    },
  };
}

/** @param {State} state @param {Actions} actions */
export function createMoreControls(state, actions) {
  const kinds = choice("Features", pairs(FEATURES), state.features, (features) =>
    actions.look({ features }),
  );
  const neighbours = slider("Neighbours", {
    min: 1,
    max: 50,
    value: state.neighbourCount,
    oninput: rafThrottle(actions.near),
  });
  const clusterings = choice(
    "Clusters by",
    /** @type {[State["clustering"], string][]} */ ([
      ["kmeans", "k-means"],
      ["hdbscan", "HDBSCAN"],
    ]),
    state.clustering,
    (clustering) => actions.colour({ clustering }),
  );
  const count = slider("Clusters", {
    min: 2,
    max: 30,
    value: state.clusterCount,
    oninput: rafThrottle((value) => actions.colour({ clusterCount: value })),
  });
  return {
    node: el(
      "div",
      { class: "inside-controls" },
      kinds.node,
      neighbours.node,
      clusterings.node,
      count.node,
    ),
    draw() {
      kinds.set(state.features);
      clusterings.set(state.clustering);
      count.set(state.clusterCount);
      count.input.disabled = state.clustering !== "kmeans";
    },
  };
}
