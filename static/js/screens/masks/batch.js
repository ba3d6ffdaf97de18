/* The masks of a batch: 8 pictures with two global crops each, of which exactly half are masked. */
import { el } from "../../ui/dom.js";
import { percent, plural } from "../../ui/format.js";

const SIDE = 112; // px of a small picture

/* The batch holds the first crop of all pictures, then the second. */
export const placeOf = (i) => `Picture ${(i % 8) + 1}, global crop ${i < 8 ? 1 : 2}`;

/* onpick(index) is told which crop was chosen. */
export function batchView(onpick) {
  let scene = null,
    chosen = null;
  const pictures = el("div", {
    class: "inside-batch",
    role: "group",
    "aria-label":
      "The 16 global crops of a batch. Arrows go from one to the next, Enter shows its mask.",
    onkeydown: walk,
  });
  const said = el("p", { class: "inside-note" }),
    spread = el("div", { class: "inside-spread" });
  const back = el("button", {
    type: "button",
    class: "inside-button",
    text: "Back to the mask of the slider",
    onclick: () => onpick(null),
  });
  const node = el(
    "section",
    {},
    el("h2", { text: "A batch of 8 pictures: exactly half of its 16 global crops are masked" }),
    pictures,
    el("div", { class: "inside-controls" }, said, back),
    spread,
  );

  /* `crop` is a canvas with the crop: every mask of the batch is shown on it. */
  function show(next, crop) {
    scene = next;
    const buttons = scene.facts.batch_masks.map((one, i) => button(one, i, crop)),
      half = buttons.length / 2;
    pictures.replaceChildren(
      el("span", { text: "global 1" }),
      ...buttons.slice(0, half),
      el("span", { text: "global 2" }),
      ...buttons.slice(half),
    );
    tell(null);
    drawSpread();
  }

  function button({ target, achieved }, i, crop) {
    const words = target ? `${target} wanted, ${achieved} hidden` : "stays whole",
      [h, w] = scene.facts.grid;
    return el(
      "button",
      {
        type: "button",
        "aria-label": `${placeOf(i)}: ${words}`,
        title: words,
        onclick: () => onpick(i),
        onpointerenter: () => tell(i),
        onfocus: () => tell(i),
        onpointerleave: () => tell(null),
        onblur: () => tell(null),
      },
      paint(crop, i),
      el("span", { text: target ? percent(achieved / (h * w), 0) : "whole" }),
    );
  }

  function paint(crop, i) {
    const canvas = el("canvas", { class: "smooth", width: SIDE, height: SIDE }),
      pen = canvas.getContext("2d");
    const [h, w] = scene.facts.grid,
      edge = (k, n) => Math.round((SIDE * k) / n);
    pen.drawImage(crop, 0, 0, SIDE, SIDE);
    pen.fillStyle = "rgb(99 101 158)"; // between the two of the large pictures
    for (let row = 0; row < h; row++)
      for (let col = 0; col < w; col++)
        if (scene.batch[(i * h + row) * w + col])
          pen.fillRect(
            edge(col, w),
            edge(row, h),
            edge(col + 1, w) - edge(col, w),
            edge(row + 1, h) - edge(row, h),
          );
    return canvas;
  }

  /* The numbers of the crop that is pointed at, else of the one whose mask is shown. */
  function tell(pointed) {
    const i = pointed ?? chosen;
    if (i === null) {
      said.textContent =
        "Point at a crop for its numbers; a click shows its mask above, on the same crop.";
      return;
    }
    const { target, achieved, rejected } = scene.facts.batch_masks[i];
    said.textContent = target
      ? `${placeOf(i)}: ${plural(target, "patch", "patches")} wanted, ${achieved} hidden, ${plural(rejected, "try", "tries")} not kept.`
      : `${placeOf(i)} stays whole.`;
  }

  /* The shares of the masked crops on a line cut into as many equal parts: one in each. */
  function drawSpread() {
    const {
        batch_masks: all,
        config: {
          ratio: [low, high],
        },
        grid: [h, w],
      } = scene.facts,
      P = h * w;
    const masked = all.filter(({ target }) => target > 0),
      place = (value) => `${(100 * (value / P - low)) / (high - low)}%`;
    spread.replaceChildren(
      el("p", {
        class: "inside-note",
        text: `The range from ${percent(low, 0)} to ${percent(high, 0)} is cut into ${masked.length} equal parts, and each masked crop draws its share from a part of its own:`,
      }),
      el(
        "div",
        {
          class: "line",
          role: "img",
          "aria-label": `Shares wanted: ${masked
            .map(({ target }) => percent(target / P, 0))
            .sort()
            .join(", ")}`,
          style: `--parts:${masked.length}`,
        },
        ...masked.map(({ target }) =>
          el("i", {
            style: `left:${place(target)}`,
            title: `${target} patches, ${percent(target / P)}`,
          }),
        ),
      ),
      el(
        "div",
        { class: "ends" },
        el("span", { text: percent(low, 0) }),
        el("span", { text: percent((low + high) / 2, 0) }),
        el("span", { text: percent(high, 0) }),
      ),
    );
  }

  function walk(event) {
    const buttons = [...pictures.querySelectorAll("button")],
      at = buttons.indexOf(document.activeElement),
      half = buttons.length / 2;
    const move = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: half, ArrowUp: -half }[event.key];
    if (event.key === "Escape" && chosen !== null) onpick(null);
    else if (move && at >= 0) buttons[(at + move + buttons.length) % buttons.length].focus();
    else return;
    event.preventDefault();
  }

  function mark(index) {
    chosen = index;
    [...pictures.querySelectorAll("button")].forEach((one, i) =>
      one.setAttribute("aria-pressed", String(i === index)),
    );
    back.hidden = index === null;
    tell(null);
  }

  return { node, show, mark };
}
