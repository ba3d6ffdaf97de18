/* How much any two boxes share: a table of numbers on the colours of the map, that works by
   pointer and arrows and says which two it is about. */
import { settings } from "../../settings.js";
import { inkOn } from "../../ui/colours.js";
import { choice } from "../../ui/controls.js";
import { el } from "../../ui/dom.js";
import { legend } from "../../ui/legend.js";
import { nameOf, shortName } from "./words.js";

export const sharedBy = (scene, a, b) =>
  [scene.overlaps, scene.ious].map((values) => values[a * scene.facts.crops.length + b]);

/* onpair([a, b] or null) is told which cell is pointed at. */
export function overlapMatrix(onpair) {
  let scene = null,
    union = false;
  const table = el("div", { class: "inside-matrix" });
  const measure = choice(
    "Measure",
    [
      ["smaller", "Share of the smaller box"],
      ["iou", "Intersection / union"],
    ],
    "smaller",
    (value) => {
      union = value === "iou";
      fill();
    },
  );
  const node = el(
    "section",
    { class: "overlaps" },
    el("h2", { text: "How much any two boxes share, in per cent" }),
    el("div", { class: "inside-controls" }, measure.node),
    table,
    legend("magma", "0 %", "100 %"),
  );

  function show(next, colourOf) {
    scene = next;
    const { crops } = scene.facts;
    const head = (i, scope) =>
      el(
        "th",
        { scope, "data-i": i, style: `--crop:${colourOf(i)}` },
        el("abbr", { title: nameOf(crops[i]), text: shortName(crops[i]) }),
      );
    const rows = crops.map((_, a) =>
      el(
        "tr",
        {},
        head(a, "row"),
        ...crops.map((_, b) =>
          el("td", { "data-a": a, "data-b": b, tabindex: a === 0 && b === 1 ? "0" : "-1" }),
        ),
      ),
    );
    const point = (event) => tell(event.target.closest("td")),
      leave = () => tell(null);
    table.replaceChildren(
      el(
        "table",
        {
          onpointermove: point,
          onpointerleave: leave,
          onfocusin: point,
          onfocusout: leave,
          onkeydown: walk,
        },
        el("caption", {
          class: "inside-hidden",
          text: "Overlap of the crops' boxes in per cent. Arrows go from cell to cell.",
        }),
        el("thead", {}, el("tr", {}, el("td"), ...crops.map((_, b) => head(b, "col")))),
        el("tbody", {}, ...rows),
      ),
    );
    fill();
  }

  function fill() {
    const magma = settings.colours.magma;
    for (const cell of table.querySelectorAll("td[data-b]")) {
      const a = Number(cell.dataset.a),
        b = Number(cell.dataset.b),
        value = sharedBy(scene, a, b)[union ? 1 : 0];
      cell.textContent = a === b ? "" : value.toFixed(0);
      const colour = magma[Math.round(2.55 * value)];
      cell.style.background = a === b ? "none" : `rgb(${colour})`;
      cell.style.color = inkOn(colour);
    }
  }

  function tell(cell) {
    const a = Number(cell?.dataset.a),
      b = Number(cell?.dataset.b);
    onpair(cell?.dataset.b === undefined || a === b ? null : [a, b]);
  }

  function walk(event) {
    const cell = event.target.closest("td"),
      n = scene.facts.crops.length;
    const move = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] }[
      event.key
    ];
    if (!cell || !move) return;
    const a = (Number(cell.dataset.a) + move[0] + n) % n,
      b = (Number(cell.dataset.b) + move[1] + n) % n;
    const next = table.querySelector(`td[data-a="${a}"][data-b="${b}"]`);
    cell.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
    event.preventDefault();
  }

  /* Marks the rows and columns of the lit crops: a whole row for one, one cell for two. */
  function light(lit) {
    for (const cell of table.querySelectorAll("td[data-b], th[data-i]")) {
      const { i, a, b } = cell.dataset,
        has = (text) => lit.includes(Number(text));
      cell.classList.toggle(
        "lit",
        i !== undefined ? has(i) : lit.length === 2 ? has(a) && has(b) && a !== b : has(a),
      );
    }
  }

  return { node, show, light };
}
