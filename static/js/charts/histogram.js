/* Bars of a count over a few classes, as one light figure: `labels` one a place, series drawn as shares
   of their sums. */
import { el } from "../ui/dom.js";
import { percent } from "../ui/format.js";
import { tip } from "../ui/tooltip.js";

/**
 * @typedef {object} Series
 * @property {string} name stands before its count beside the pointer
 * @property {string} colour of CSS
 * @property {ArrayLike<number>} counts one a label
 */

/**
 * @param {object} options
 * @param {string} options.title
 * @param {readonly string[]} options.labels
 * @param {readonly Series[]} options.series
 * @param {readonly string[]} [options.ends] what stands under the bars; as many as labels: one each
 */
export function histogram({ title, labels, series, ends }) {
  const n = labels.length;
  const shares = series.map(({ counts }) => {
    const total = Array.from(counts).reduce((a, b) => a + b, 0) || 1;
    return { total, of: (/** @type {number} */ i) => counts[i] / total };
  });
  const top = Math.max(...labels.flatMap((_, i) => shares.map((share) => share.of(i))), 1e-9);
  const bar = (/** @type {string} */ colour, /** @type {number} */ share) =>
    el("i", { style: `height:${(100 * share) / top}%;background:${colour}` });
  const say = (/** @type {number} */ i) =>
    [
      labels[i],
      ...series.map(({ name, counts }, s) => {
        const { total, of } = shares[s];
        return `${name}${counts[i]} of ${total} (${percent(of(i))})`;
      }),
    ].join("\n");
  const words = labels
    .map((_, i) => say(i).replaceAll("\n", ", "))
    .filter((_, i) => series.some(({ counts }) => counts[i]));
  const columns = labels.map((_, i) =>
    el("span", {}, ...series.map(({ colour }, s) => bar(colour, shares[s].of(i)))),
  );
  /** @type {HTMLElement} */
  const plot = el(
    "div",
    {
      class: "inside-histogram",
      role: "img",
      tabindex: "0",
      "aria-label": `${title}. ${words.join("; ")}`,
      onpointermove: (event) => {
        const box = plot.getBoundingClientRect(),
          at = Math.floor(((event.clientX - box.left) / box.width) * n);
        tip(plot, event, say(Math.min(Math.max(at, 0), n - 1)));
      },
      onpointerleave: (event) => tip(plot, event, null),
    },
    el("div", { class: "bars" }, ...columns),
  );
  return el(
    "figure",
    { class: "inside-chart" },
    el("figcaption", { text: title }),
    plot,
    el(
      "div",
      { class: ends?.length === n ? "ends each" : "ends" },
      ...(ends ?? [labels[0], labels[n - 1]]).map((text) => el("span", { text })),
    ),
  );
}
