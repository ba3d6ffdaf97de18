/* The steps that were made in a row, and what each has brought. */
import { el } from "../../ui/dom.js";
import { percent, signed } from "../../ui/format.js";
import { roving } from "../../ui/roving.js";
import { lossesOf } from "./state.js";

/** @typedef {import("./state.js").State} State */

/** @param {(index: number) => void} onpick */
export function createRow(onpick) {
  const steps = el("div", { class: "inside-step-row", role: "group", "aria-label": "Steps" });
  /** @type {State["row"]} */
  let drawn = [];
  return {
    node: el("section", {}, el("h2", { text: "Steps in a row" }), steps),

    /** @param {State} state */
    draw({ row, shown }) {
      if (row !== drawn) {
        drawn = row;
        const top = Math.max(...row.map((scene) => lossesOf(scene).before), 1e-9);
        const cells = row.map((scene, index) => {
          const { before, after } = lossesOf(scene),
            { number } = scene.facts;
          return el(
            "button",
            {
              type: "button",
              title: `Step ${number}: ${signed(before, 3)} before, ${signed(after, 3)} after`,
              onclick: () => onpick(index),
            },
            el("span", { text: `Step ${number}` }),
            el("i", { class: "before", style: `--share: ${before / top}` }),
            el("i", {
              class: after < before ? "after" : "after rose",
              style: `--share: ${after / top}`,
            }),
            el("b", { text: `${signed(before)} → ${signed(after)}` }),
            el("small", { text: change(before, after) }),
          );
        });
        steps.replaceChildren(...cells);
        roving(cells, cells.length, shown);
      }
      [...steps.children].forEach((cell, i) =>
        cell.setAttribute("aria-pressed", String(i === shown)),
      );
    },
  };
}

/** @param {number} before @param {number} after */
function change(before, after) {
  const share = (after - before) / Math.abs(before || 1);
  return `${share < 0 ? "−" : "+"}${percent(Math.abs(share))}`;
}
