/* How the columns of colours are made: the PCA's preset, its sides, who has a say in it; the number of
   clusters. What is as it comes is neither in the link nor asked for. */
import { keep, kept } from "../../page/link.js";
import { settings } from "../../settings.js";
import { pick, slider, toggle } from "../../ui/controls.js";
import { el } from "../../ui/dom.js";

/**
 * @typedef {object} Colouring
 * @property {string} preset of the PCA
 * @property {boolean} flip the other side is the object
 * @property {boolean} robust patches whose length stands out have no say
 * @property {number} k clusters
 */

/** @type {Readonly<Colouring>} */
export const PLAIN = { preset: "paper", flip: false, robust: false, k: 6 };
export const MOST_CLUSTERS = 12;
const NAMES = /** @type {(keyof Colouring)[]} */ (Object.keys(PLAIN));

/**
 * What differs from how it comes, by name.
 *
 * @param {Colouring} colouring
 * @returns {Partial<Colouring>}
 */
export const changed = (colouring) =>
  Object.fromEntries(
    NAMES.filter((name) => colouring[name] !== PLAIN[name]).map((name) => [name, colouring[name]]),
  );

/** What the link says of it. @returns {Colouring} */
export function linkedColouring() {
  const preset = settings.presets.find(([name]) => name === kept("tray.preset"))?.[0],
    k = Number(kept("tray.k"));
  return {
    preset: preset ?? PLAIN.preset,
    flip: kept("tray.flip") === "1",
    robust: kept("tray.robust") === "1",
    k: Number.isInteger(k) && k >= 2 && k <= MOST_CLUSTERS ? k : PLAIN.k,
  };
}

/** @param {Colouring} colouring */
export function keepColouring(colouring) {
  const differs = changed(colouring);
  for (const name of NAMES) {
    const value = differs[name];
    keep(`tray.${name}`, value === true ? "1" : value || null);
  }
}

/** The settings as Python writes them; empty where nothing differs. @param {Colouring} colouring */
export function inPython(colouring) {
  const { preset, flip, robust, k } = changed(colouring);
  if (!Object.keys(changed(colouring)).length) return "";
  const chosen = `PCA_PRESETS[${JSON.stringify(colouring.preset)}]`,
    config = flip ? `replace(${chosen}, flip=True)` : chosen;
  const parts = [preset || flip ? config : "", robust ? "robust=True" : "", k ? `k=${k}` : ""];
  return `TraySettings(${parts.filter(Boolean).join(", ")})`;
}

/** @param {(next: Partial<Colouring>) => unknown} onchange */
export function createColouring(onchange) {
  const preset = pick("PCA", settings.presets, PLAIN.preset, (next) => onchange({ preset: next }));
  const flip = toggle(
    "Swap foreground and background",
    "The sign of the first component is arbitrary",
    PLAIN.flip,
    (on) => onchange({ flip: on }),
  );
  const robust = toggle(
    "Without outliers",
    "Patches whose length stands out (median + 4 × 1.4826 median absolute deviations) have no say " +
      "in the PCA",
    PLAIN.robust,
    (on) => onchange({ robust: on }),
  );
  const k = slider("Clusters", {
    min: 2,
    max: MOST_CLUSTERS,
    value: PLAIN.k,
    oninput: (next) => onchange({ k: next }),
  });
  const node = el(
    "div",
    { class: "inside-controls", role: "group", "aria-label": "Colours" },
    ...[preset.node, flip.node, robust.node, k.node],
  );
  return {
    node,
    /** @param {Pick<import("./state.js").State, "columns" | "colouring">} state */
    draw({ columns, colouring }) {
      const has = (/** @type {string} */ view) => columns.some((one) => one.view === view);
      for (const { node: one } of [preset, flip, robust]) one.hidden = !has("pca");
      k.node.hidden = !has("clusters");
      node.hidden = !has("pca") && !has("clusters");
      preset.set(colouring.preset);
      flip.set(colouring.flip);
      robust.set(colouring.robust);
      k.set(colouring.k);
    },
  };
}
