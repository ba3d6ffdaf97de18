/* How the colours of the layers are brought together, and which head is asked. */
import { keep } from "../../../page/link.js";
import { select, selection } from "../../../page/selection.js";
import { settings } from "../../../settings.js";
import { choice, pick, toggle } from "../../../ui/controls.js";
import { el } from "../../../ui/dom.js";
import { METHODS, SHOWN } from "./state.js";

/** @param {import("../state.js").Screen} screen */
export function createControls(screen) {
  const { state } = screen;
  /** @param {Partial<import("./state.js").Choice>} next */
  function change(next) {
    const chosen = { ...state.depth.choice, ...next };
    keep("features.align", chosen.align === METHODS[0][0] ? null : chosen.align);
    keep("features.robust", chosen.robust ? "1" : null);
    keep("features.depth", chosen.picture === SHOWN[0][0] ? null : chosen.picture);
    screen.update({ depth: { ...state.depth, choice: chosen } });
    screen.reload();
  }
  /** @param {Partial<import("../state.js").Colouring>} next */
  function recolour(next) {
    screen.update({ colouring: { ...state.colouring, ...next } });
    screen.reload();
  }
  const picture = choice("Beside the attention", SHOWN, state.depth.choice.picture, (next) =>
    change({ picture: next }),
  );
  const head = pick("Head", [], "", (next) => select({ head: next === "" ? null : Number(next) }));
  const preset = pick("PCA", settings.presets, "paper", (next) =>
    recolour({ preset: next, changes: {} }),
  );
  const flip = toggle(
    "Swap foreground and background",
    "The sign of the first component is arbitrary; all layers vote for one foreground",
    false,
    (on) => recolour({ flip: on }),
  );
  const align = pick("Layers", METHODS, state.depth.choice.align, (next) =>
    change({ align: METHODS.find(([name]) => name === next)?.[0] ?? "rotation" }),
  );
  const robust = toggle(
    "Without outliers",
    "Patches whose length stands out (median + 4 × 1.4826 median absolute deviations) have no say " +
      "in the PCA",
    state.depth.choice.robust,
    (on) => change({ robust: on }),
  );
  const colours = el(
    "div",
    { class: "inside-controls", role: "group", "aria-label": "Colours" },
    ...[preset.node, align.node, flip.node, robust.node],
  );
  let heads = 0;
  return {
    above: [picture.node, head.node],
    colours,
    /** @param {import("./state.js").LoadedDepth} loaded */
    draw({ view, colouring, choice: chosen }) {
      if (heads !== view.heads) {
        heads = view.heads;
        const each = Array.from({ length: heads }, (_, i) => /** @type {const} */ ([i, String(i)]));
        head.fill([["", "mean of all"], ...each], selection.head ?? "");
      }
      head.set(selection.head ?? "");
      picture.set(chosen.picture);
      colours.hidden = chosen.picture !== "pca";
      preset.set(colouring.preset);
      flip.set(colouring.flip);
      align.set(chosen.align);
      robust.set(chosen.robust);
    },
  };
}
