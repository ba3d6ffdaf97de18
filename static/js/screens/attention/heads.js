/* What every head of the layer attends to, one small map a head. */
import { select, selection } from "../../page/selection.js";
import { paintMap } from "../../ui/canvas.js";
import { el } from "../../ui/dom.js";
import { percent } from "../../ui/format.js";
import { throttle } from "../../ui/frame.js";
import { maximum } from "../../ui/numbers.js";
import { roving } from "../../ui/roving.js";
import { firstPatch } from "./attend.js";
import { queryOf } from "./state.js";

export function createHeads() {
  const node = el("div", {
    class: "inside-heads",
    role: "group",
    "aria-label": "Heads of this layer",
  });
  /** @type {{ canvas: HTMLCanvasElement, figure: HTMLElement, button: HTMLButtonElement }[]} */
  let cards = [];

  /** @param {number} head */
  function card(head) {
    const canvas = el("canvas"),
      figure = el("small"),
      name = el("span", {}, el("b", { text: `Head ${head}` }), figure);
    const button = el(
      "button",
      {
        type: "button",
        class: "inside-head",
        onclick: () => select({ head: selection.head === head ? null : head }),
      },
      canvas,
      name,
    );
    return { canvas, figure, button };
  }

  /** @param {number} count */
  function build(count) {
    cards = Array.from({ length: count }, (_, head) => card(head));
    node.replaceChildren(...cards.map(({ button }) => button));
    roving(
      cards.map(({ button }) => button),
      count,
    );
  }

  const showMaxima = throttle((/** @type {number[]} */ highs) =>
    cards.forEach(({ figure }, head) => {
      figure.textContent = `max ${percent(highs[head])}`;
    }),
  );

  return {
    node,

    /** @param {import("./picture.js").Loaded} state */
    draw(state) {
      const { scene, rows } = state,
        [A, N] = scene.shapes.keys,
        { grid } = scene.facts;
      if (cards.length !== A) build(A);
      node.style.setProperty("--aspect", `${grid[1]} / ${grid[0]}`);
      node.style.setProperty("--ratio", String(grid[1] / grid[0]));
      const highs = cards.map(({ canvas }, head) => {
        const offset = head * N + firstPatch(scene),
          high = maximum(rows, offset, grid[0] * grid[1]);
        paintMap(canvas, rows, { grid, offset, high });
        return high;
      });
      cards.forEach(({ button }, head) =>
        button.setAttribute("aria-pressed", String(head === selection.head)),
      );
      (queryOf(state).kept ? showMaxima.now : showMaxima)(highs);
    },
  };
}
