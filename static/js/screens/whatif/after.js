/* All that follows from the changes: before and after, the four values, the layers, neighbours, heads. */
import { isKind, withValue } from "./edits.js";
import { createExports } from "./exports.js";
import { createFour } from "./four.js";
import { createOtherModel } from "./other-model.js";
import { createResults } from "./results.js";
import { createNearest, createPrototypes } from "./says.js";
import { createSpread } from "./spread.js";

/** @typedef {import("./state.js").State} State */

/**
 * @param {HTMLElement} node where it is shown
 * @param {State} state
 * @param {(change: Partial<State>) => void} update
 * @param {{ editing: import("./state.js").Editing, more: () => unknown }} work
 */
export function createAfter(node, state, update, { editing, more }) {
  const results = createResults(state, update),
    spread = createSpread(),
    prototypes = createPrototypes(),
    take = createExports(state, results.panels);
  const four = createFour((kind) => {
    const chosen = state.edits.map(({ text, on }) => ({
      text: on && isKind(text.slice(text.indexOf("=") + 1)) ? withValue(text, kind) : text,
      on,
    }));
    update({ kind });
    editing.set(chosen);
  });
  const other = createOtherModel((model) => {
    update({ other: model });
    more();
  });
  const nearest = createNearest((gallery) => {
    if (state.shown) update({ gallery, shown: { ...state.shown, nearest: null } });
    more();
  });
  node.append(
    ...[results, four, spread, nearest, prototypes, other, take].map((part) => part.node),
  );
  return {
    /** @param {import("./state.js").Shown} shown */
    draw(shown) {
      results.draw();
      four.draw(state, four.node);
      void spread.draw(shown);
      nearest.draw(state);
      prototypes.draw(state);
      other.draw(state);
      if (!state.hovered) take.refresh();
    },
  };
}
