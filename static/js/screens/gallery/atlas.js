/* The thumbnails of a gallery: sheets of 32 x 32 tiles, each fetched when its first tile is wanted. */
import { el } from "../../ui/dom.js";
export const TILE = 64;
const ACROSS = 32,
  SHEET = ACROSS * ACROSS;

/* ondraw() is called when a sheet has come. */
export function atlasOf(url, ondraw) {
  const sheets = new Map(),
    waiting = new Map();

  function sheet(number) {
    if (!sheets.has(number)) {
      const image = new Image();
      image.onload = () => {
        for (const paint of waiting.get(number) ?? []) paint();
        waiting.delete(number);
        ondraw();
      };
      image.src = url(number);
      sheets.set(number, image);
    }
    return sheets.get(number);
  }

  /* Draws a picture's tile; says whether its sheet was there. */
  function draw(pen, index, x, y, side) {
    const image = sheet(Math.floor(index / SHEET)),
      at = index % SHEET;
    if (!image.complete || !image.naturalWidth) return false;
    pen.drawImage(
      image,
      TILE * (at % ACROSS),
      TILE * Math.floor(at / ACROSS),
      TILE,
      TILE,
      x,
      y,
      side,
      side,
    );
    return true;
  }

  /* Paints a picture's tile into a small canvas, now or when its sheet comes. */
  function paint(canvas, index) {
    canvas.width = canvas.height = TILE;
    canvas.dataset.index = index;
    const now = () =>
      canvas.dataset.index === String(index) && draw(canvas.getContext("2d"), index, 0, 0, TILE);
    if (now()) return canvas;
    const number = Math.floor(index / SHEET);
    waiting.set(number, [...(waiting.get(number) ?? []), now]);
    return canvas;
  }

  /* A picture's tile at the size it is shown on the map, scaled once: null until its sheet is there. */
  const scaled = new Map();
  function small(index, side) {
    const key = `${index} ${side}`;
    if (!scaled.has(key)) {
      const canvas = el("canvas", { width: side, height: side });
      if (!draw(canvas.getContext("2d"), index, 0, 0, side)) return null;
      scaled.set(key, canvas);
      if (scaled.size > 1500) scaled.delete(scaled.keys().next().value);
    }
    return scaled.get(key);
  }

  return {
    draw,
    paint,
    small,
    face: (index) => paint(el("canvas", { class: "smooth", "aria-hidden": "true" }), index),
  };
}

/* Pictures in a grid: buttons with a line or two of words. `entries`: [{ index, title, words }]. */
export function fillGrid(node, atlas, entries, onchoose, chosen = null) {
  node.replaceChildren(
    ...entries.map(({ index, title, words, kind }) =>
      el(
        "button",
        {
          type: "button",
          "data-index": index,
          class: kind,
          title,
          "aria-label": words ? `${title}, ${words}` : title,
          "aria-pressed": String(index === chosen),
          onclick: () => onchoose(index),
        },
        el("span", { class: "face" }, atlas.face(index)),
        el("small", { text: words ?? "" }),
      ),
    ),
  );
}
