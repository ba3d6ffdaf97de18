/* Lines from patches to their best matches: the most similar mutual pairs, and the one that is asked
   for. Drawn over both pictures, in pixels of the element that holds them. */
import { svg } from "../../../ui/dom.js";

/** @typedef {import("./state.js").LoadedPair} LoadedPair */
/** @typedef {import("./state.js").Pair} Pair */
/** @typedef {[x: number, y: number]} Place */

/**
 * Which lines are drawn, in their order, and the hue of each: from left to right and top to bottom in
 * the first picture.
 *
 * @param {LoadedPair["scene"]} scene
 * @param {number} most
 */
export function huesOf(scene, most) {
  const shown = [...scene.lines.subarray(0, most)],
    w = scene.facts.grid[1];
  const order = [...shown].sort((p, q) => (p % w) - (q % w) || p - q);
  const last = Math.max(order.length - 1, 1);
  const hues = new Map(order.map((patch, i) => [patch, Math.round((300 * i) / last)]));
  return shown.map((patch) => ({ patch, hue: hues.get(patch) ?? 0 }));
}

/** @param {number} hue */
export const lineColour = (hue) => `hsl(${hue} 85% 62%)`;

/** @param {Place} from @param {Place} to */
const segment = (from, to) => `M${text(from)}L${text(to)}`;
const text = (/** @type {Place} */ [x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`;

export function createLines() {
  const under = svg("path", { class: "under" }),
    steady = svg("g", { class: "steady" }),
    asked = svg("g", { class: "asked" }),
    dots = svg("path", { class: "dots" });
  const node = svg(
    "svg",
    { class: "inside-lines", "aria-hidden": "true" },
    dots,
    under,
    steady,
    asked,
  );
  /** @type {HTMLElement[]} host, first picture, second picture */
  let boxes = [];
  /** @type {{ patch: number, hue: number }[]} */
  let shown = [];
  let marked = false,
    most = -1;

  /**
   * The centre of a patch.
   *
   * @param {1 | 2} side
   * @param {readonly [number, number]} grid
   * @param {number} index
   * @returns {Place}
   */
  function centre(side, [h, w], index) {
    const frame = boxes[0].getBoundingClientRect(),
      box = boxes[side].getBoundingClientRect();
    return [
      box.left - frame.left + ((index % w) + 0.5) * (box.width / w),
      box.top - frame.top + (Math.floor(index / w) + 0.5) * (box.height / h),
    ];
  }
  /** @param {LoadedPair} loaded @param {number} from @param {number} to */
  const between = ({ scene }, from, to) =>
    segment(centre(1, scene.facts.grid, from), centre(2, scene.facts.second_grid, to));

  return {
    node,
    count: () => steady.children.length,
    /** Of the lines as they are drawn: for a picture of them. */
    colours: () => shown,
    /** @param {...HTMLElement} elements host, first picture, second picture */
    place(...elements) {
      boxes = elements;
    },
    /** @param {Pair} pair */
    isStale: ({ lines, marks }) => lines !== most || marks !== marked,

    /** @param {LoadedPair} loaded @param {Pair} pair */
    drawAll(loaded, { lines, marks }) {
      const { scene } = loaded;
      [most, marked] = [lines, marks];
      shown = huesOf(scene, lines);
      const paths = shown.map(({ patch }) => between(loaded, patch, scene.forward[patch]));
      under.setAttribute("d", paths.join(""));
      steady.replaceChildren(
        ...paths.map((d, i) => svg("path", { d, style: `stroke: ${lineColour(shown[i].hue)}` })),
      );
      const { grid, second_grid: other } = scene.facts;
      const places = [...scene.mutual].flatMap((mutual, patch) =>
        mutual && marks ? [centre(1, grid, patch), centre(2, other, scene.forward[patch])] : [],
      );
      dots.setAttribute("d", places.map((place) => `M${text(place)}h0`).join(""));
    },

    /**
     * What the pointer asks for, and where its match would rather go.
     *
     * @param {LoadedPair} loaded
     * @param {import("./state.js").Asked} question
     */
    drawAsked(loaded, { isFirst, from, to, back, isMutual, isKept }) {
      const [a, b] = isFirst ? [from, to] : [to, from];
      const paths = [{ d: between(loaded, a, b), kind: isMutual ? "mutual" : "single" }];
      if (!isMutual)
        paths.push({
          d: isFirst ? between(loaded, back, b) : between(loaded, a, back),
          kind: "single back",
        });
      asked.replaceChildren(
        ...paths.flatMap(({ d, kind }) => [
          svg("path", { d, class: `halo ${kind}` }),
          svg("path", { d, class: `edge ${kind}` }),
        ]),
      );
      for (const part of [steady, under]) part.classList.toggle("quiet", !isKept);
    },
  };
}
