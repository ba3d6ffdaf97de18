/* What the screen shows, as tests read it. */
import { wordOf } from "./columns.js";
import { askedPatch, askedRow } from "./state.js";

/** @param {import("./state.js").State} state */
export const exposed = (state) => ({
  rows: state.rows.map(({ id }) => id),
  names: state.rows.map(({ name }) => name),
  columns: state.columns.map(wordOf),
  shown: state.shown?.rows.map(({ id }) => id) ?? [],
  words: state.shown?.scene.facts.columns.map(({ word }) => word) ?? [],
  facts: state.shown?.scene.facts.columns ?? [],
  patch: askedPatch(state),
  asked: askedRow(state),
  others: state.others,
  models: state.shown?.scene.facts.models ?? [],
  colouring: state.colouring,
  busy: state.busy,
});
