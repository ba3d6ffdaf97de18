/* Tokens: how a picture becomes tokens, where they stand, and what the blocks do to them.

   Three parts share the page's patch and this screen's frame. A part is
   { node, path, key(), load(view), update(row, col, pinned), lesson(row, col), png(), csv(), python(place) };
   key() is the picture it holds, which lags behind the page's while another one is on the way.  */
import { patchesPart } from "./tokens-patches.js";
import { positionsPart } from "./tokens-positions.js";
import { blocksPart } from "./tokens-blocks.js";

Inside.view("tokens", (root) => {
  "use strict";
  const { el, selection } = Inside;
  const TITLES = [
    ["patches", "Patches"],
    ["positions", "Positions"],
    ["blocks", "Blocks"],
  ];
  let view = null,
    hovered = null,
    open = "patches";
  if (TITLES.some(([name]) => name === Inside.kept("part"))) open = Inside.kept("part");

  const choose = {
    onhover: Inside.eachFrame((row, col) => {
      hovered = [row, col];
      update();
    }),
    onleave: Inside.eachFrame(() => {
      hovered = null;
      update();
    }),
    onpin: (row, col) => {
      hovered = null;
      Inside.select({ row, col });
    },
    onkey: key,
  };
  const again = () => update(); // a part changed by itself: another filter, another step
  const parts = {
    patches: patchesPart(choose, again),
    positions: positionsPart(choose, again),
    blocks: blocksPart(choose, again),
  };
  const choice = Inside.choice("What to look at", TITLES, open, (name) => {
    open = name;
    Inside.keep("part", name === "patches" ? null : name);
    Inside.run(root, bring);
  });
  const take = Inside.takeAlong("tokens", {
    png: () => parts[open].png(),
    npz: () => Inside.sceneUrl(view.key, parts[open].path, { form: "npz" }),
    csv: () => parts[open].csv(),
    python: () => `${Inside.openInPython(view)}\n${parts[open].python(place(), view)}`,
  });
  root.append(
    el("div", { class: "inside-controls" }, choice.node),
    ...Object.values(parts).map((part) => part.node),
    take.node,
  );
  uncover();

  function key(name) {
    if (name === "Escape") Inside.select({ row: null, col: null });
    else if (name === "Enter") {
      if (hovered) Inside.select({ row: hovered[0], col: hovered[1] });
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
    Inside.live(
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

  Inside.listen((now, change) => {
    if (!view) return;
    if ("layer" in change) parts.blocks.layerChosen();
    update();
  });

  return {
    show(next) {
      view = next;
      Inside.fitSelection(view);
      hovered = null;
      return bring();
    },
  };
});
