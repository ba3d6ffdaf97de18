/* The other pictures of the batch, nearest first, and what the nearest costs: KoLeo. */
import { el } from "../../ui/dom.js";
import { tableHead } from "../../ui/table.js";
import { signed } from "./format.js";

export function createNeighbours() {
  const table = el("table", { class: "inside-table inside-near" }),
    words = el("p", { class: "inside-details" });
  return {
    node: el(
      "div",
      { class: "inside-left" },
      el("h2", { text: "Neighbours: KoLeo" }),
      el("div", { class: "inside-scroll" }, table),
      words,
    ),

    /** @param {import("./state.js").LossesScene} scene */
    build({ facts: { references, koleo, weights } }) {
      const closest = [0, 1].map((v) =>
        Math.min(...references.map(({ distances }) => distances[v])),
      );
      table.replaceChildren(
        tableHead("", "distance to", "global 0", "global 1"),
        el("tbody", {}, ...references.map((one) => line(one, closest))),
      );
      words.textContent =
        "Each global crop looks for the nearest class token among the other pictures of the " +
        `batch: −ln ${closest[0].toFixed(3)} = ${signed(koleo[0])} and −ln ` +
        `${closest[1].toFixed(3)} = ${signed(koleo[1])}. ` +
        "The closer, the more it costs; two crops of one picture are never compared." +
        (weights.koleo
          ? ""
          : " This pair was trained without KoLeo: its weight is 0 (officially 0.1).");
    },
  };
}

/**
 * @param {import("./state.js").LossesScene["facts"]["references"][number]} other
 * @param {readonly number[]} closest distance to each global crop
 */
function line({ file, title, distances }, closest) {
  const thumbnail = el("img", {
    src: `inside/samples/thumbs/${file}`,
    alt: "",
    width: 34,
    height: 34,
  });
  return el(
    "tr",
    {},
    el("td", { class: "thumb" }, thumbnail),
    el("th", { scope: "row", text: title }),
    ...distances.map((value, v) =>
      el("td", { class: value === closest[v] ? "closest" : null, text: value.toFixed(3) }),
    ),
  );
}
