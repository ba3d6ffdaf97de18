/* The way of a token through the head, with its widths. */
import { el } from "../../ui/dom.js";

export function createHead() {
  const node = el("table", { class: "inside-table inside-widths" });

  /** @param {string} name @param {number | undefined} width @param {string} meaning */
  const line = (name, width, meaning) =>
    el(
      "tr",
      {},
      el("th", { scope: "row", text: name }),
      el("td", { text: width }),
      el("td", { class: "help", text: meaning }),
    );

  return {
    node,

    /** @param {import("./state.js").LossesScene} scene */
    build({ facts }) {
      const { head: widths, shared, temperature, student_temperature: softness } = facts,
        sphere = widths.at(-2),
        K = widths.at(-1);
      node.replaceChildren(
        el("caption", {
          text: shared
            ? "The head, for class tokens and patches alike"
            : "The DINO head; that for patches is built alike",
        }),
        el(
          "tbody",
          {},
          line("token", widths[0], "the class token that leaves the backbone"),
          ...widths.slice(1, -2).map((width) => line("linear, GELU", width, "")),
          line("linear", sphere, ""),
          line("on the sphere", sphere, "divided by its length"),
          line("scores", K, "cosine with each prototype, times its length"),
          line("softmax", K, `at ${softness} for the student, ${temperature} for the teacher`),
        ),
      );
    },
  };
}
