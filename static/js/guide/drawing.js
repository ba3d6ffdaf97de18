/* The drawing of the model in training, in a window over the page: each part opens its screen, carries
   the shape of the visitor's own data, and is lit where its screen is open. */
import { currentScreen, openScreen } from "../page/screens.js";
import { settings } from "../settings.js";
import { el, svg } from "../ui/dom.js";
import { openWindow } from "./layer.js";
import { ABOVE, ARROWS, HEIGHT, PARTS, WIDTH } from "./drawing-parts.js";
import { bring, follow } from "./numbers.js";
import { piecesOf } from "./words.js";

/** @typedef {import("./drawing-parts.js").Part} Part */

const INTRODUCTION =
  "One step of training, from left to right. The student sees every crop, some with hidden " +
  "patches; the teacher sees the two wide ones whole. Only the student learns by gradients: the " +
  "teacher is its moving average. The shapes are those of your own picture. A part opens its screen.";

/** A line of words and numbers. @param {string} text @param {Record<string, string | number>} place */
const line = (text, place) =>
  svg(
    "text",
    place,
    ...piecesOf(text).map((piece) =>
      piece.kind === "number"
        ? svg("tspan", { "data-number": piece.text }, "…")
        : svg("tspan", {}, piece.text),
    ),
  );

/** @param {Part} part @param {() => void} leave */
function partNode({ name, screen, lines, box: [x, y, w, h], side }, leave) {
  const here = screen === currentScreen(),
    middle = x + w / 2;
  const enter = () => {
    leave();
    openScreen(screen);
  };
  const node = svg(
    "g",
    {
      role: "button",
      tabindex: 0,
      class: `part ${side}${here ? " here" : ""}`,
      "data-screen": screen,
      ...(here ? { "aria-current": "true" } : {}),
    },
    svg("rect", { x, y, width: w, height: h, rx: 10 }),
    svg("text", { x: middle, y: y + 22, class: "name" }, name),
    ...lines.map((text, i) => line(text, { x: middle, y: y + 42 + 17 * i, class: "shape" })),
  );
  node.addEventListener("click", enter);
  node.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    enter();
  });
  return node;
}

/** What a part is, for who does not see it. @param {SVGGElement} node @param {Part} part */
function nameNode(node, { name: title, side, screen }) {
  const lines = [...node.querySelectorAll(".shape")].map((one) => one.textContent),
    [, opens = screen] = settings.screens.find(([one]) => one === screen) ?? [],
    whose = side === "student" || side === "teacher" ? ` of the ${side}` : "";
  node.setAttribute("aria-label", `${title}${whose}: ${lines.join(", ")}. Opens ${opens}.`);
}

/** @param {() => void} leave */
function drawing(leave) {
  const head = svg(
    "marker",
    {
      id: "inside-arrow",
      viewBox: "0 0 8 8",
      refX: 7,
      refY: 4,
      markerWidth: 7,
      markerHeight: 7,
      orient: "auto-start-reverse",
    },
    svg("path", { d: "M0 0 8 4 0 8z" }),
  );
  const parts = PARTS.filter(({ screen }) => settings.screens.some(([one]) => one === screen));
  const nodes = parts.map((part) => partNode(part, leave));
  const picture = svg(
    "svg",
    {
      viewBox: `0 ${ABOVE} ${WIDTH} ${HEIGHT}`,
      role: "group",
      "aria-label": "The model in training",
    },
    svg("defs", {}, head),
    ...ARROWS.map(({ way, words, at, kind }) =>
      svg(
        "g",
        { class: `arrow ${kind}` },
        svg("path", { d: way, "marker-end": "url(#inside-arrow)" }),
        ...(words ? [svg("text", { x: at[0], y: at[1] }, words)] : []),
      ),
    ),
    ...nodes,
  );
  const label = () => nodes.forEach((node, i) => nameNode(node, parts[i]));
  return { picture, label };
}

/** Opens the drawing. */
export async function openDrawing() {
  const { picture, label } = drawing(() => dialog.close());
  const dialog = await openWindow(
    "The model in training",
    "inside-drawing",
    el("p", { text: INTRODUCTION }),
    el(
      "div",
      { class: "inside-scroll", tabindex: "0", role: "region", "aria-label": "Drawing" },
      picture,
    ),
  );
  label();
  const end = follow(dialog);
  dialog.addEventListener("close", end);
  await bring(dialog);
  label();
}
