/* The same places with each of the four values, side by side: what zero does alone is shock. */
import { button } from "../../ui/controls.js";
import { el } from "../../ui/dom.js";
import { short } from "../../ui/format.js";
import { highOf, sceneColumn } from "./columns.js";
import { KINDS } from "./edits.js";

/** @typedef {import("./state.js").Kind} Kind */

const ROWS = /** @type {const} */ (["Attention after", "Features after", "Change"]);

/** @param {(kind: Kind) => unknown} onchoose */
export function createFour(onchoose) {
  const body = el("div", { class: "inside-four" }),
    note = el("p", { class: "inside-quiet" });
  /** @type {import("./state.js").Shown["four"] | null} */
  let drawn = null;

  /** @param {import("./state.js").Shown["four"][number]} one @param {import("./columns.js").High} high */
  function column([kind, scene], high) {
    const name = KINDS.find(([one]) => one === kind)?.[1] ?? kind,
      head = button(name, () => onchoose(kind), "Put this value there"),
      node = sceneColumn(scene, { head, name, rows: ROWS, high });
    node.dataset.value = kind;
    return node;
  }

  return {
    node: el(
      "section",
      { hidden: true },
      el("h2", { text: "Four values in the same places" }),
      body,
      note,
    ),
    /** @param {import("./state.js").State} state @param {HTMLElement} node */
    draw({ shown, isFour }, node) {
      const four = shown?.four ?? [];
      node.hidden = !isFour || !four.length;
      if (four === drawn || !four.length) return;
      drawn = four;
      const scenes = four.map(([, scene]) => scene),
        high = highOf(scenes, ROWS);
      body.replaceChildren(...four.map((one) => column(one, high)));
      note.textContent =
        `Numbers are cosines to before, of the class token and of the patches on average, after the ` +
        `last block. Maps have one range in a row: change from 0 to ${short(high.change)}.`;
    },
  };
}
