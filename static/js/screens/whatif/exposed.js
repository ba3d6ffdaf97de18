/* What the screen shows, as tests read it. */

/** @param {import("./state.js").State} state */
export const exposed = (state) => ({
  edits: state.edits.map(({ text }) => text),
  kind: state.kind,
  brush: state.brush,
  who: [...state.who],
  whom: [...state.whom],
  hovered: state.hovered,
  isFour: state.isFour,
  reference: state.shown?.reference ?? null,
  references: state.around?.references ?? null,
  over: state.over,
  screening: state.screening?.state ?? null,
  effects: state.effects ? [...state.effects.heads.mean_cls] : null,
  ...(state.shown && answered(state.shown)),
});

/** @param {import("./state.js").Shown} shown */
const answered = ({ view, texts, scene, charts, prototypes, nearest, four, beside }) => ({
  key: view.key,
  texts,
  layer: scene.facts.layer,
  cls: scene.facts.cls_cosine,
  patches: scene.facts.patch_cosine_mean,
  cosines: scene.patch_cosine,
  attention: scene.attention_after,
  four: four.map(([value, one]) => [value, one.facts.cls_cosine]),
  beside: beside && [beside.model, beside.scene.facts.cls_cosine, beside.left],
  nearest: nearest?.facts.names ?? null,
  prototypes: prototypes ? [...prototypes.prototypes] : null,
  dino: prototypes?.facts.dino ?? null,
  hasChart: charts !== null,
});
