/* Tokens: how a picture becomes tokens, where they stand, and what the blocks do to them.

   Three parts share the page's patch and this screen's frame. A part is
   { node, path, key(), load(view), update(row, col, pinned), lesson(row, col), png(), csv(), python(place) };
   key() is the picture it holds, which lags behind the page's while another one is on the way.  */
import { bus } from "../../page/bus.js";
import { run } from "../../page/errors.js";
import { exportBar } from "../../page/export.js";
import { fillLesson } from "../../page/lesson.js";
import { keep, kept } from "../../page/link.js";
import { openInPython } from "../../page/python.js";
import { sceneUrl } from "../../page/scenes.js";
import { fitSelection, select, selection } from "../../page/selection.js";
import { choice as choiceOf } from "../../ui/controls.js";
import { el } from "../../ui/dom.js";
import { rafThrottle } from "../../ui/frame.js";
import { patchesPart } from "./patches.js";
import { positionsPart } from "./positions.js";
import { blocksPart } from "./blocks.js";

export function create(root) {
  const TITLES = [
    ["patches", "Patches"],
    ["positions", "Positions"],
    ["blocks", "Blocks"],
  ];
  let view = null,
    hovered = null,
    open = "patches";
  if (TITLES.some(([name]) => name === kept("part"))) open = kept("part");

  const choose = {
    onhover: rafThrottle((row, col) => {
      hovered = [row, col];
      update();
    }),
    onleave: rafThrottle(() => {
      hovered = null;
      update();
    }),
    onpin: (row, col) => {
      hovered = null;
      select({ row, col });
    },
    onkey: key,
  };
  const again = () => update(); // a part changed by itself: another filter, another step
  const parts = {
    patches: patchesPart(choose, again),
    positions: positionsPart(choose, again),
    blocks: blocksPart(choose, again),
  };
  const choice = choiceOf("What to look at", TITLES, open, (name) => {
    open = name;
    keep("part", name === "patches" ? null : name);
    run(root, bring);
  });
  const take = exportBar("tokens", {
    png: () => parts[open].png(),
    npz: () => sceneUrl(view.key, parts[open].path, { form: "npz" }),
    csv: () => parts[open].csv(),
    python: () => `${openInPython(view)}\n${parts[open].python(place(), view)}`,
  });
  root.append(
    el("div", { class: "inside-controls" }, choice.node),
    ...Object.values(parts).map((part) => part.node),
    take.node,
  );
  uncover();

  function key(name) {
    if (name === "Escape") select({ row: null, col: null });
    else if (name === "Enter") {
      if (hovered) select({ row: hovered[0], col: hovered[1] });
    } else if (name === "[" || name === "]") parts.blocks.step(name === "]" ? 1 : -1);
    else return false;
    return true;
  }

  /* The patch that everything is about: under the pointer, else kept, else in the middle. */
  function place() {
    if (hovered) return hovered;
    const [h, w] = view.grid;
    return selection.row === null
      ? [Math.floor(h / 2), Math.floor(w / 2)]
      : [selection.row, selection.col];
  }

  function uncover() {
    for (const [name, part] of Object.entries(parts)) part.node.hidden = name !== open;
  }

  function update() {
    if (parts[open].key() !== view?.key) return; // its scene is still on the way
    const [row, col] = place();
    const numbers = parts[open].update(row, col, !hovered);
    root.inside = { key: view.key, part: open, row, col, ...numbers };
    if (hovered) return;
    const lessons = Object.values(parts)
      .filter((part) => part.key() === view.key)
      .map((part) => part.lesson(row, col));
    fillLesson(
      "tokens",
      Object.assign(
        { who: selection.row === null ? "the patch in the middle" : `patch ${row}, ${col}` },
        ...lessons,
      ),
    );
    take.refresh();
  }

  async function bring() {
    uncover();
    const key = view.key;
    await parts[open].load(view);
    if (key !== view.key) return; // overtaken
    update();
    // The lesson tells numbers of the other parts, too; the positions are large and wait for a click.
    for (const name of ["patches", "blocks"])
      if (name !== open)
        parts[name]
          .load(view)
          .then(() => key === view.key && update())
          .catch(() => {});
  }

  bus.on("selection", ({ change }) => {
    if (!view) return;
    if ("layer" in change) parts.blocks.layerChosen();
    update();
  });

  return {
    show(next) {
      view = next;
      fitSelection(view);
      hovered = null;
      return bring();
    },
  };
}
