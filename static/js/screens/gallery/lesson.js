/* What the lesson says with the visitor's own numbers. */
import { fillLesson } from "../../page/lesson.js";
import { percent, spaced } from "../../ui/format.js";

/** @typedef {import("./state.js").State} State */
/** @typedef {import("./data.js").Neighbours} Neighbours */

const times = (/** @type {number} */ value) =>
  value >= 100 ? spaced(Math.round(value)) : value.toFixed(1);

/** @param {State} state */
export function fillGalleryLesson({ shown, points, neighbours, chosen, layer }) {
  if (!shown || !points) return;
  const { dim, classes } = shown.gallery.facts,
    { names } = shown,
    { explained, trustworthiness } = points.facts.facts;
  fillLesson("gallery", {
    n: names.length,
    d: dim,
    layer,
    pca: explained ? percent(explained[0] + explained[1]) : "",
    trust: trustworthiness?.toFixed(3) ?? "",
    near: neighbours && chosen !== null ? nearSentence(names.of(chosen), neighbours) : "",
    vote: voteSentence(neighbours, classes),
  });
}

/** @param {string} name @param {Neighbours} neighbours */
function nearSentence(name, { indices, similarities, facts }) {
  const first = similarities[0],
    last = similarities[similarities.length - 1],
    ratio = Math.exp((first - last) / facts.temperature);
  return (
    `Of ${name.split("/").at(-1)} the ${indices.length} nearest have a cosine similarity ` +
    `of ${first.toFixed(3)} to ${last.toFixed(3)}: the first weighs ${times(ratio)} ` +
    "times as much as the last."
  );
}

/** @param {Neighbours | null} neighbours @param {string[]} classes */
function voteSentence(neighbours, classes) {
  const votes = (neighbours?.facts.votes ?? [])
    .slice(0, 3)
    .map(([name, share]) => `${name} ${percent(share)}`);
  if (votes.length) return `The vote: ${votes.join(", ")}.`;
  return classes.length ? "" : "These pictures have no labels, so there is no vote.";
}
