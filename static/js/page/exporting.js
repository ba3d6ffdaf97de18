/* A model for another library: asked for, made on the server, checked there, and then offered. */
import { button, pick } from "../ui/controls.js";
import { el } from "../ui/dom.js";
import { sentenceOf } from "./errors.js";
import { requestJson } from "./scenes.js";

/**
 * @typedef {object} ExportCard as app/routes/exports.py answers
 * @property {string} token
 * @property {"waiting" | "running" | "finished" | "failed"} state
 * @property {string[]} words
 * @property {string} file
 * @property {number} bytes
 */

const EVERY = 700; // ms between two questions

/** @type {[string, string][]} */
const TARGETS = [
  ["transformers", "transformers (a folder, zipped)"],
  ["timm", "timm (.pth)"],
  ["onnx", "ONNX (.onnx)"],
  ["official", "the official code (.pth)"],
];

/**
 * The controls of an export, and what becomes of it.
 *
 * @param {() => Promise<string> | string} modelOf the name among the visitor's models
 */
export function createExporting(modelOf) {
  const to = pick("For", TARGETS, TARGETS[0][0], () => {}),
    bar = el("progress", { hidden: true, "aria-label": "The export is being made" }),
    said = el("div", { class: "inside-exported", role: "status" }),
    begin = button(
      "Export",
      () => void work(),
      "That library opens what was written and computes two pictures before it is offered",
    );
  const node = el(
    "div",
    { class: "inside-exporting" },
    el("div", { class: "inside-controls" }, to.node, begin),
    bar,
    said,
  );

  /** @param {string[]} lines @param {HTMLElement[]} [before] */
  const say = (lines, before = []) =>
    said.replaceChildren(...before, ...lines.map((text) => el("p", { text })));

  async function work() {
    begin.disabled = true;
    bar.hidden = false;
    say(["It is being asked for."]);
    await follow().catch((error) => say([sentenceOf(error)]));
    begin.disabled = false;
    bar.hidden = true;
  }

  async function follow() {
    const query = new URLSearchParams({ model: await modelOf(), to: to.input.value });
    /** @type {ExportCard} */
    let card = await requestJson(`exports?${query}`, { method: "POST" });
    while (card.state === "waiting" || card.state === "running") {
      say(card.words);
      await new Promise((resolve) => setTimeout(resolve, EVERY));
      card = await requestJson(`exports/${card.token}`);
    }
    if (card.state === "failed") return say(card.words);
    const megabytes = (card.bytes / 1e6).toFixed(1);
    const link = el("a", {
      class: "inside-button",
      href: `exports/${card.token}/file`,
      download: card.file,
      text: `Download (${megabytes} MB)`,
      title: card.file,
    });
    say(card.words, [link]);
  }

  return { node, forget: () => say([]) };
}
