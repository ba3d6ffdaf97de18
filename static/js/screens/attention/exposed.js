/* What the screen shows, as tests read it. */
import { selection } from "../../page/selection.js";
import { firstPatch } from "./attend.js";
import { strongestPair } from "./pair.js";
import { queryOf } from "./state.js";

/** @param {import("./picture.js").Loaded} state */
export function exposed(state) {
  const { view, scene, rows, overview } = state,
    query = queryOf(state),
    { head, best, dot, weight } = strongestPair(state);
  return {
    key: view?.key,
    layer: scene.facts.layer,
    row: query.row,
    col: query.col,
    head: selection.head,
    query: query.token,
    rows,
    tokens: scene.shapes.keys[1],
    firstPatch: firstPatch(scene),
    pair: { head, best, dot, weight },
    overview: overview && { row: overview.facts.row, column: overview.facts.column },
    ...(state.ends ? { target: state.target, held: state.held, hasBack: state.back !== null } : {}),
    ...(state.rolled && state.rollout ? { rollout: state.rollout.rollout } : {}),
  };
}
