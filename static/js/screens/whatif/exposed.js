/* What the screen shows, as tests read it. */

/** @param {import("./state.js").State} state */
export const exposed = ({ edits, kind, brush, who, whom, isFour, shown, hovered }) => ({
  edits: edits.map(({ text }) => text),
  kind,
  brush,
  who: [...who],
  whom: [...whom],
  hovered,
  isFour,
  ...(shown && answered(shown)),
});

/** @param {import("./state.js").Shown} shown */
const answered = ({ view, texts, scene, charts, prototypes, nearest, four }) => ({
  key: view.key,
  texts,
  layer: scene.facts.layer,
  cls: scene.facts.cls_cosine,
  patches: scene.facts.patch_cosine_mean,
  cosines: scene.patch_cosine,
  attention: scene.attention_after,
  four: four.map(([value, one]) => [value, one.facts.cls_cosine]),
  nearest: nearest?.facts.names ?? null,
  prototypes: prototypes ? [...prototypes.prototypes] : null,
  dino: prototypes?.facts.dino ?? null,
  hasChart: charts !== null,
});
