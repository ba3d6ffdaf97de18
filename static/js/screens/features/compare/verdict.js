/* How alike the two are, in a number, and which component stands for which. */
import { el } from "../../../ui/dom.js";

const COLOURS = ["red", "green", "blue"];

export function createVerdict() {
  const number = el("p", { class: "inside-number" }),
    words = el("p", { class: "inside-details", "aria-live": "polite" }),
    partners = el("table", { class: "inside-table" });
  /** @type {import("./state.js").LoadedComparison | null} */
  let drawn = null;
  return {
    node: el("div", { class: "inside-stack" }, number, words, partners),
    /** @param {import("./state.js").LoadedComparison} loaded */
    draw(loaded) {
      if (drawn === loaded) return;
      drawn = loaded;
      const { cka, cka_biased: biased, note } = loaded.scene.facts;
      number.replaceChildren(
        el("b", { text: cka.toFixed(3) }),
        el("span", { text: " CKA, how alike they are" }),
      );
      words.textContent =
        "Of 1 at most: 1 means that the patches lie alike up to a rotation and a scale, 0 that " +
        "they have nothing in common. " +
        `Without the correction for chance it would be ${biased.toFixed(3)}. ${note}`;
      partners.replaceChildren(el("tbody", {}, ...COLOURS.map((_, i) => rowOf(loaded, i))));
    },
  };
}

/** @param {import("./state.js").LoadedComparison} loaded @param {number} channel */
function rowOf({ scene }, channel) {
  const { order, signs, correlation } = scene.facts,
    name = COLOURS[channel],
    turned = signs[channel] < 0 ? ", turned" : "";
  return el(
    "tr",
    {},
    el(
      "th",
      { scope: "row" },
      el("i", { class: `inside-dot ${name}` }),
      ` ${name}: component ${order[channel]}${turned}`,
    ),
    el("td", { text: `correlation ${correlation[channel].toFixed(2)}` }),
  );
}
