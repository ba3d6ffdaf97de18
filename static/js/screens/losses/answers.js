/* Where the answers of student and teacher to one question stand: title, bars, and what they cost. */
import { el } from "../../ui/dom.js";
import { createDistributions, distributionKey } from "./distributions.js";

export function createAnswers() {
  const title = el("h2"),
    bars = createDistributions(),
    /** Stands where the question was asked. */
    caption = el("p", { class: "inside-details", "aria-live": "polite" }),
    facts = el("p", { class: "inside-details" });
  const node = el("div", { class: "inside-left wide" }, title, distributionKey(), bars.node, facts);
  return { node, title, bars, caption, facts };
}
