/* The numbers behind the strongest pair: q . k, divided, through the softmax. */
import { fillLesson } from "../../page/lesson.js";
import { selection } from "../../page/selection.js";
import { el } from "../../ui/dom.js";
import { percent, place } from "../../ui/format.js";
import { throttle } from "../../ui/frame.js";
import { dot, firstPatch, strongest } from "./attend.js";
import { queryName, queryOf } from "./state.js";

/**
 * Where a head looks most, and how that comes about.
 *
 * @param {import("./picture.js").Loaded} state
 */
export function strongestPair({ scene, rows, hovered, ...rest }) {
  const [, N] = scene.shapes.keys,
    { grid } = scene.facts,
    head = selection.head ?? 0,
    first = firstPatch(scene);
  const query = queryOf({ scene, rows, hovered, ...rest });
  const best = strongest(rows, head * N + first, grid[0] * grid[1]);
  const product = dot(scene, { head, query: query.token, key: first + best });
  return { head, best, query, dot: product, weight: rows[head * N + first + best] };
}

export function createPair() {
  const node = el("div", { class: "inside-pairs" });

  /** @param {import("./picture.js").Loaded} state */
  function draw(state) {
    const { scene, heads } = state,
      [, N, d] = scene.shapes.keys,
      pair = strongestPair(state);
    const where = place(pair.best, scene.facts.grid),
      scaled = pair.dot * scene.facts.scale;
    /** @type {[string, string][]} */
    const lines = [
      ["q · k", pair.dot.toFixed(3)],
      [`divided by √${d} = ${Math.sqrt(d).toFixed(2)}`, scaled.toFixed(3)],
      [`softmax over ${N} tokens`, percent(pair.weight, 2)],
    ];
    if (heads?.facts.layer === scene.facts.layer)
      lines.push(
        [
          "entropy of this head, all queries",
          `${heads.entropy[pair.head].toFixed(2)} of ${heads.facts.largest_entropy.toFixed(2)} nats`,
        ],
        ["mean distance it looks", `${heads.distance[pair.head].toFixed(0)} px`],
      );
    node.replaceChildren(
      el("h2", {
        text: `Where head ${pair.head} looks most from ${queryName(pair.query)}: ${where}`,
      }),
      table(lines),
    );
    fillLesson("attention", {
      d,
      n: N,
      who: queryName(pair.query),
      head: pair.head,
      layer: scene.facts.layer,
      dot: pair.dot.toFixed(2),
      scaled: scaled.toFixed(2),
      weight: percent(pair.weight, 2),
      place: where,
    });
  }
  const soon = throttle(draw);
  return {
    node,
    /** Words follow the pointer at their own pace. @param {import("./picture.js").Loaded} state */
    draw: (state) => (queryOf(state).kept ? soon.now : soon)(state),
  };
}

/** @param {[string, string][]} lines name and value */
const table = (lines) =>
  el(
    "table",
    { class: "inside-table" },
    el(
      "tbody",
      {},
      ...lines.map(([name, value]) =>
        el("tr", {}, el("th", { text: name, scope: "row" }), el("td", { text: value })),
      ),
    ),
  );
