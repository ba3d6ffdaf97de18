/* What the screen shows, as tests read it: as it is when they ask, for much of it changes with the
   pointer alone. */
import { currentPredictions, groupsOf } from "./state.js";

/** @typedef {import("./state.js").State} State */

/**
 * @typedef {object} Parts
 * @property {import("../../charts/scatter.js").Scatter} scatter
 * @property {{ readonly state: object }} patches
 * @property {{ readonly state: object }} sheet
 * @property {{ readonly state: object }} probes
 * @property {{ readonly exposed: object }} second
 */

/** @param {State} state @param {Parts} parts */
export function exposed(state, parts) {
  const live = {};
  for (const name of Object.keys(now(state, parts)))
    Object.defineProperty(live, name, {
      enumerable: true,
      get: () => Reflect.get(now(state, parts), name),
    });
  return live;
}

/** @param {State} state @param {Parts} parts */
function now(state, { scatter, patches, sheet, probes, second }) {
  return {
    ...galleryOf(state),
    state: state.card?.state ?? null,
    problem: state.problem,
    layer: state.layer,
    features: state.features,
    method: state.method,
    colour: state.colour,
    groups: state.shown ? Array.from(groupsOf(state)) : [],
    predicted: currentPredictions(state) !== null,
    own: state.own,
    chosen: state.chosen,
    near: { ...neighboursOf(state), ...patches.state },
    selection: state.selection.indices,
    map: { ...scatter.state, near: neighboursOf(state).neighbours ?? [], own: state.own },
    sheet: sheet.state,
    probe: probes.state,
    second: second.exposed,
    /** Where a picture is on the map, px. @param {number} index */
    place: (index) => scatter.placeOf(index),
  };
}

/** @param {State} state */
function galleryOf({ name, card, shown, points }) {
  const opening = card !== null && shown?.name !== card.name;
  if (!shown || !points) {
    const nothing = { names: [], count: 0, classes: [], labels: [], made: null };
    return { gallery: name, opening, seen: false, ...nothing };
  }
  const { facts, labels } = shown.gallery,
    { features, layer, method } = points.facts;
  return {
    gallery: shown.name,
    opening,
    seen: true,
    names: facts.names,
    count: facts.count,
    classes: facts.classes,
    labels: [...labels],
    made: [features, layer, method],
  };
}

/** @param {State} state */
const neighboursOf = ({ neighbours }) => ({
  neighbours: neighbours && [...neighbours.indices],
  similarities: neighbours && [...neighbours.similarities],
  votes: neighbours && neighbours.facts.votes,
});
