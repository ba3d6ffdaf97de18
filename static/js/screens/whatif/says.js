/* What the model's own heads say, and which pictures are nearest: before and after. */
import { pick } from "../../ui/controls.js";
import { el } from "../../ui/dom.js";
import { percent } from "../../ui/format.js";
import { tableHead, tableRow } from "../../ui/table.js";

/** @typedef {import("./state.js").State} State */
/** @typedef {import("./state.js").PrototypesScene} PrototypesScene */
/** @typedef {import("./state.js").NearestScene} NearestScene */

const NO_GALLERY =
  "No gallery has features of this model yet: make one on the screen Many pictures, and the " +
  "pictures nearest to this one are shown here, before and after.";
const WHEN = /** @type {const} */ (["Before", "After"]);

/** @param {(gallery: string) => unknown} ongallery */
export function createNearest(ongallery) {
  const choice = pick("Nearest pictures among", [["samples", "The samples"]], "samples", ongallery),
    body = el("div", { class: "inside-nearest", hidden: true }),
    none = el("p", { class: "inside-quiet", hidden: true, text: NO_GALLERY });
  /** @type {NearestScene | null} */
  let drawn = null;
  let filled = "";

  /** @param {NearestScene} scene @param {string} gallery @param {number} when */
  function row(scene, gallery, when) {
    const k = scene.shapes.indices[1];
    return el(
      "figure",
      {},
      el("figcaption", { text: WHEN[when] }),
      el(
        "ol",
        {},
        ...scene.facts.names[when].map((name, i) =>
          el(
            "li",
            {},
            el("img", {
              src: `galleries/${gallery}/pictures/${scene.indices[when * k + i]}.jpg?longest=160`,
              alt: name,
              title: name,
              loading: "lazy",
            }),
            el("small", { text: scene.similarities[when * k + i].toFixed(3) }),
          ),
        ),
      ),
    );
  }

  /** @param {[string, string][]} galleries @param {string | undefined} name */
  function drawChoice(galleries, name) {
    const text = JSON.stringify([galleries, name]);
    if (text === filled) return;
    filled = text;
    if (name) choice.fill(galleries, name);
    choice.node.hidden = !name;
    none.hidden = Boolean(name);
  }

  choice.node.hidden = true;
  return {
    node: el("section", {}, choice.node, body, none),
    /** @param {State} state */
    draw({ around, gallery, shown }) {
      if (!around) return;
      const { galleries } = around,
        name = (galleries.find(([one]) => one === gallery) ?? galleries[0])?.[0],
        scene = shown?.nearest ?? null;
      drawChoice(galleries, name);
      body.hidden = !scene;
      if (!scene || scene === drawn || !name) return;
      drawn = scene;
      body.replaceChildren(row(scene, name, 0), row(scene, name, 1));
    },
  };
}

export function createPrototypes() {
  const table = el("table", { class: "inside-table" }),
    losses = el("table", { class: "inside-table" }),
    title = el("h2");
  /** @type {PrototypesScene | null} */
  let drawn = null;
  const node = el(
    "section",
    { hidden: true },
    title,
    el("div", { class: "inside-scroll inside-says" }, table, losses),
    el("p", {
      class: "inside-quiet",
      text:
        "The teacher’s five likeliest prototypes for the class token. Losses are the student’s, " +
        "which sees the changed model, against a teacher that has seen the picture as it is.",
    }),
  );
  return {
    node,
    /** @param {State} state */
    draw({ shown }) {
      const scene = shown?.prototypes ?? null;
      node.hidden = !scene;
      if (!scene || scene === drawn) return;
      drawn = scene;
      const k = scene.shapes.prototypes[1],
        { dino, ibot } = scene.facts;
      title.textContent = "What the heads say";
      node.title = scene.facts.title;
      const cellOf = (/** @type {number} */ at) =>
        `${scene.prototypes[at]}  ${percent(scene.probabilities[at])}`;
      table.replaceChildren(
        tableHead("", "before", "after"),
        el(
          "tbody",
          {},
          ...Array.from({ length: k }, (_, i) => tableRow(`${i + 1}`, cellOf(i), cellOf(k + i))),
        ),
      );
      losses.replaceChildren(
        tableHead("", "before", "after"),
        el(
          "tbody",
          {},
          tableRow("DINO", ...dino.map((value) => `${value.toFixed(3)} nats`)),
          ibot
            ? tableRow("iBOT, all patches", ...ibot.map((value) => `${value.toFixed(3)} nats`))
            : null,
        ),
      );
    },
  };
}
