/* Two distributions over prototypes, one above the other, and where each prototype fires elsewhere. */
import { el } from "../../ui/dom.js";
import { percent } from "../../ui/format.js";

const ROWS = 8;

/* The prototypes to name: those the teacher finds likeliest, then those of the student. */
export function standOut(teacher, student, count = ROWS) {
  const order = (values) => [...values.keys()].sort((a, b) => values[b] - values[a]);
  const chosen = order(teacher).slice(0, Math.ceil(count * 0.625));
  for (const place of order(student))
    if (chosen.length < count && !chosen.includes(place)) chosen.push(place);
  return chosen.sort((a, b) => teacher[b] - teacher[a]);
}

export const best = (values) =>
  values.reduce((top, value, i) => (value > values[top] ? i : top), 0);

/* A list of rows: prototype, the teacher's bar above the student's, and pictures from `paint(node,
   place, example)`. Made once; `draw` only moves bars and pictures. */
export function distributionView({ examples, paint }) {
  const share = (value) => percent(value, value < 0.0995 ? 1 : 0);
  const rows = Array.from({ length: ROWS + 1 }, () => {
    const name = el("span", { class: "name" }),
      bars = [el("i", { class: "teacher" }), el("i", { class: "student" })],
      values = [el("b"), el("b")];
    const pictures = Array.from({ length: examples }, () => el("i", { class: "inside-example" }));
    const node = el(
      "li",
      {},
      name,
      el("span", { class: "bars" }, ...bars),
      el("span", { class: "values" }, ...values),
      el("span", { class: "examples" }, ...pictures),
    );
    return { node, name, bars, values, pictures };
  });
  const node = el("ol", { class: "inside-distribution" }, ...rows.map((row) => row.node));

  /* prototypes [C], teacher [C], student [C] of one place; `count`: prototypes of the head */
  function draw(prototypes, teacher, student, count) {
    const chosen = standOut(teacher, student),
      rest = [teacher, student].map((all) =>
        Math.max(0, 1 - chosen.reduce((sum, place) => sum + all[place], 0)),
      );
    const high = Math.max(...chosen.flatMap((place) => [teacher[place], student[place]]), 1e-9);
    rows.forEach((row, i) => {
      const last = i === ROWS,
        place = chosen[i];
      row.node.hidden = !last && place === undefined;
      if (row.node.hidden) return;
      const values = last ? rest : [teacher[place], student[place]];
      row.name.textContent = last ? `${count - chosen.length} others` : `#${prototypes[place]}`;
      row.node.classList.toggle("rest", last);
      values.forEach((value, side) => {
        row.bars[side].style.width = last ? "0" : `${(100 * value) / high}%`;
        row.values[side].textContent = share(value);
      });
      row.pictures.forEach((picture, example) => {
        picture.hidden = last;
        if (!last) paint(picture, place, example);
      });
    });
    return chosen;
  }
  return { node, draw };
}
