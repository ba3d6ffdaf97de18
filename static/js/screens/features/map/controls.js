/* How many clusters, which map, in which colours. */
import { keep } from "../../../page/link.js";
import { choice, slider } from "../../../ui/controls.js";
import { el } from "../../../ui/dom.js";
import { debounce, rafThrottle } from "../../../ui/frame.js";

/** @typedef {import("./state.js").PatchMap} PatchMap */
/** @typedef {import("./state.js").Choice} Choice */

const REST = 300; // ms: a map takes the server a while
const WARM_UP =
  "It compiles itself once after the start of the server, which takes up to a minute or two";
const UMAP = { ready: "UMAP", broken: "UMAP (not available)", other: "UMAP (warming up)" };

/**
 * @param {import("../state.js").Screen} screen
 * @param {(next: Partial<PatchMap>) => void} change
 */
export function createControls({ state, reload }, change) {
  const reloadSoon = debounce(() => state.map.choice.method === "umap" && reload(), REST);
  const choose = (/** @type {Partial<Choice>} */ next) =>
    change({ choice: { ...state.map.choice, ...next } });
  const k = slider("Clusters", {
    min: 2,
    max: 12,
    value: state.map.choice.k,
    oninput: rafThrottle((/** @type {number} */ value) => {
      keep("features.k", value === 6 ? null : value);
      choose({ k: value });
      change({ alone: null });
      reload();
    }),
  });
  const method = choice(
    "Map",
    /** @type {const} */ ([
      ["pca", "PCA"],
      ["umap", "UMAP"],
    ]),
    state.map.choice.method,
    (value) => {
      keep("features.map", value === "pca" ? null : value);
      choose({ method: value });
      reload();
    },
  );
  const colour = choice(
    "Colour",
    /** @type {const} */ ([
      ["clusters", "Clusters"],
      ["pca", "PCA colours"],
    ]),
    state.map.choice.colour,
    (value) => {
      choose({ colour: value });
      reload();
    },
  );
  const umap = method.node.querySelector("[data-value=umap]");
  const row = (/** @type {HTMLElement[]} */ ...nodes) =>
    el("div", { class: "inside-controls" }, ...nodes);
  return {
    nodes: [
      row(k.node, method.node, colour.node),
      el(
        "details",
        { class: "inside-more" },
        el("summary", { text: "More" }),
        row(...moreOf(state, { change, choose, reloadSoon })),
      ),
    ],
    /** @param {import("../state.js").State} now */
    draw({ around, map: { choice: chosen, loaded, isMapping } }) {
      const isReady = around.umap === "ready";
      k.set(chosen.k);
      if (umap instanceof HTMLButtonElement) {
        umap.disabled = !isReady;
        const text = around.umap === "broken" ? UMAP.broken : isReady ? UMAP.ready : UMAP.other;
        if (umap.textContent !== text) umap.textContent = text;
        umap.title = isReady ? "Keeps who is near whom" : WARM_UP;
      }
      method.set(isMapping || loaded?.map.facts.method === "umap" ? "umap" : "pca");
    },
  };
}

/**
 * @param {import("../state.js").State} state
 * @param {object} actions
 * @param {(next: Partial<PatchMap>) => void} actions.change
 * @param {(next: Partial<Choice>) => void} actions.choose
 * @param {() => void} actions.reloadSoon
 */
function moreOf({ map }, { change, choose, reloadSoon }) {
  const near = slider("UMAP neighbours", {
    min: 5,
    max: 60,
    value: map.choice.neighbours,
    oninput: (neighbours) => {
      choose({ neighbours });
      reloadSoon();
    },
  });
  const apart = slider("UMAP smallest distance", {
    max: 0.9,
    step: 0.05,
    value: map.choice.distance,
    format: (value) => value.toFixed(2),
    oninput: (distance) => {
      choose({ distance });
      reloadSoon();
    },
  });
  const overlay = slider("Overlay", {
    max: 1,
    step: 0.05,
    value: map.strength,
    format: (value) => `${Math.round(100 * value)} %`,
    oninput: (strength) => change({ strength }),
  });
  return [near.node, apart.node, overlay.node];
}
