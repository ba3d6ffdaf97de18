/* What the lesson says with the user's own numbers, and what of the map can be taken along. */
import { request } from "../../page/scenes.js";
import { fillLesson } from "../../page/lesson.js";
import { percent, spaced } from "../../ui/format.js";

/* desk: { gallery(), data(), name(), query(), layer(), features(), method(), selection(), chosen(),
   near() -> neighbours, points() -> scene, command() -> the line that builds it, count() -> k } */
export function takeAway(desk) {
  const times = (value) => (value >= 100 ? spaced(Math.round(value)) : value.toFixed(1));

  function tellLesson() {
    if (!desk.gallery()) return;
    const { names, dim, classes } = desk.gallery().facts,
      near = desk.near(),
      { explained, trustworthiness } = desk.points()?.facts.facts ?? {};
    const votes = near?.facts.votes
      .slice(0, 3)
      .map(([one, share]) => `${one} ${percent(share)}`)
      .join(", ");
    fillLesson("gallery", {
      n: names.length,
      d: dim,
      layer: desk.layer(),
      pca: explained ? percent(explained[0] + explained[1]) : "",
      trust: trustworthiness?.toFixed(3) ?? "",
      near: near ? sentence(names[desk.chosen()].split("/").at(-1), near) : "",
      vote: votes
        ? `The vote: ${votes}.`
        : classes.length
          ? ""
          : "These pictures have no labels, so there is no vote.",
    });
  }

  function sentence(name, { indices, similarities, facts }) {
    const first = similarities[0],
      last = similarities.at(-1),
      ratio = Math.exp((first - last) / facts.temperature);
    return `Of ${name} the ${indices.length} nearest have a cosine similarity of ${first.toFixed(3)} to ${last.toFixed(3)}: the first weighs ${times(ratio)} times as much as the last.`;
  }

  async function csv() {
    const answer = await request(desk.data().url("points.csv", desk.query()), {
      method: "POST",
      body: desk.selection().indices.join(","),
    });
    return answer.text();
  }

  function python() {
    const samples = desk.name() === "samples",
      folder = samples ? "static/gallery" : "galleries/again";
    const where = `"${desk.features()}", layer=${desk.layer()}`;
    return `${samples ? "" : `# built by: ${desk.command()}\n`}from dino_core.scenes.gallery import names, points
from dino_core.scenes.gallery_similarity import neighbours

folder = "${folder}"
map = points(folder, ${where}, method="${desk.method()}")  # xy [pictures, 2]
print(map.xy[:3], map.facts)
near = neighbours(folder, ${desk.chosen()}, k=${desk.count()}, features=${where})
print([names(folder).names[i] for i in near.indices], near.similarities, near.votes)`;
  }

  return { tellLesson, csv, python };
}
