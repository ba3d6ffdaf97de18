/* What the colours of the map mean: a chip for each group, pressed to see it alone. */
import { groupColour } from "../../charts/groups.js";
import { el } from "../../ui/dom.js";
import { roving } from "../../ui/roving.js";
import { groupName, groupsOf } from "./state.js";

/** @typedef {import("./state.js").State} State */

/**
 * How many pictures are in each group, those in none last.
 *
 * @param {ArrayLike<number>} groups
 * @returns {[group: number, count: number][]}
 */
export function groupCounts(groups) {
  /** @type {Map<number, number>} */
  const counts = new Map();
  for (let i = 0; i < groups.length; i++) counts.set(groups[i], (counts.get(groups[i]) ?? 0) + 1);
  return [...counts].sort(([a], [b]) => Number(a < 0) - Number(b < 0) || a - b);
}

/**
 * @param {State} state
 * @param {(indices: number[], words: string) => void} select
 */
export function createLegend(state, select) {
  /** @type {number | null} */
  let pressed = null;
  const node = el("div", {
    class: "inside-chips inside-gallery-legend",
    role: "group",
    "aria-label": "Groups: press one to see it alone",
  });

  /** @param {number | null} group */
  function press(group) {
    pressed = group;
    for (const chip of node.querySelectorAll("button"))
      chip.setAttribute("aria-pressed", String(chip.dataset.group === String(group)));
  }

  /** @param {number} group */
  function choose(group) {
    if (pressed === group) return select([], "");
    const groups = groupsOf(state),
      indices = [];
    for (let i = 0; i < groups.length; i++) if (groups[i] === group) indices.push(i);
    select(indices, `${groupName(state, group)}: ${indices.length} pictures`);
    press(group);
  }

  const chip = (/** @type {[number, number]} */ [group, count]) =>
    el(
      "button",
      {
        type: "button",
        "data-group": group,
        "aria-pressed": "false",
        title: "Show this group alone",
        onclick: () => choose(group),
      },
      el("i", { style: `background:rgb(${groupColour(group)})` }),
      el("span", { text: groupName(state, group) }),
      el("small", { text: String(count) }),
    );

  function draw() {
    if (state.coloursWaiting === null) delete node.dataset.waiting;
    else node.dataset.waiting = state.coloursWaiting;
    const chips = groupCounts(groupsOf(state)).map(chip);
    node.replaceChildren(...chips);
    if (chips.length) roving(chips, chips.length);
    pressed = null;
  }
  return { node, draw, press };
}
