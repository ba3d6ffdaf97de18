/* Who does not see whom: two brushes choose the tokens, and in some blocks the first get no attention to
   the second. */
import { button, pick } from "../../ui/controls.js";
import { el } from "../../ui/dom.js";
import { whoText } from "./edits.js";

/** @typedef {import("./state.js").State} State */

const GROUPS = /** @type {const} */ (["cls", "registers", "patches"]);
const NAMES = { cls: "the class token", registers: "the registers", patches: "all patches" };

/** @param {"who" | "whom"} side */
function groupsOf(side) {
  const ticks = GROUPS.map((group) => {
    /** @type {HTMLInputElement} */
    const input = el("input", { type: "checkbox", value: group });
    return {
      group,
      input,
      node: el("label", { class: "inside-tick" }, input, el("span", { text: NAMES[group] })),
    };
  });
  const painted = el("small", { class: "inside-quiet" });
  return {
    node: el(
      "fieldset",
      { class: `inside-side ${side}` },
      el("legend", { text: side === "who" ? "Who" : "does not see" }),
      ...ticks.map(({ node }) => node),
      painted,
    ),
    ticks,
    painted,
    onchange(/** @type {() => unknown} */ work) {
      for (const { input } of ticks) input.addEventListener("change", work);
    },
    /** @param {Set<number>} patches @param {readonly [number, number]} grid */
    text: (patches, grid) =>
      [
        ...ticks.filter(({ input }) => input.checked).map(({ group }) => group),
        ...(patches.size && !ticks[2].input.checked ? [whoText(patches, grid)] : []),
      ].join(";"),
    clear() {
      for (const { input } of ticks) input.checked = false;
    },
  };
}

/**
 * @param {State} state
 * @param {(change: Partial<State>) => void} update
 * @param {import("./state.js").Editing} editing
 */
export function createKnockout(state, update, editing) {
  const who = groupsOf("who"),
    whom = groupsOf("whom"),
    first = pick("From block", [[0, "0"]], 0, () => keepOrder(first)),
    last = pick("to", [[0, "0"]], 0, () => keepOrder(last)),
    head = pick("head", [["", "all"]], "", () => {}),
    cut = button("Cut off", apply);
  /** @type {HTMLInputElement} */
  const clsBox = who.ticks[0].input;
  clsBox.checked = true;
  let filled = "";

  /** @param {typeof first} moved */
  function keepOrder(moved) {
    if (Number(first.input.value) <= Number(last.input.value)) return;
    (moved === first ? last : first).set(moved.input.value);
  }
  const texts = () => {
    const { grid } = /** @type {import("./state.js").View} */ (state.view);
    return [who.text(state.who, grid), whom.text(state.whom, grid)];
  };
  function apply() {
    const [a, b] = texts(),
      from = first.input.value,
      to = last.input.value,
      unit = head.input.value === "" ? "" : `.${head.input.value}`;
    const blocks = from === to ? from : `${from}-${to}`;
    update({ who: new Set(), whom: new Set() });
    whom.clear();
    editing.add(`scores:${blocks}${unit}=${a}!${b}`);
  }
  const judge = () => {
    const [a, b] = texts();
    cut.disabled = !a || !b;
    const painted = (/** @type {Set<number>} */ patches) =>
      patches.size ? `${patches.size} painted` : "none painted";
    who.painted.textContent = painted(state.who);
    whom.painted.textContent = painted(state.whom);
  };
  who.onchange(judge);
  whom.onchange(judge);

  return {
    node: el(
      "div",
      { class: "inside-knockout" },
      el("div", { class: "inside-sides" }, who.node, whom.node),
      el("div", { class: "inside-controls" }, first.node, last.node, head.node, cut),
    ),
    draw() {
      const { view } = state;
      if (!view) return;
      const text = `${view.layers} ${view.heads} ${view.registers}`;
      if (text !== filled) {
        filled = text;
        const blocks = Array.from({ length: view.layers }, (_, i) => [i, String(i)]);
        first.fill(/** @type {[number, string][]} */ (blocks), 0);
        last.fill(/** @type {[number, string][]} */ (blocks), view.layers - 1);
        head.fill(
          [
            ["", "all"],
            .../** @type {[number, string][]} */ (
              Array.from({ length: view.heads }, (_, i) => [i, String(i)])
            ),
          ],
          "",
        );
        for (const side of [who, whom]) side.ticks[1].node.hidden = view.registers === 0;
      }
      judge();
    },
  };
}
