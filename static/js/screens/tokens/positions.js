/* How alike the positions are: the cosine of one position's embedding with all others, on the grid
   the model learned them and as this picture is given them. All have length 1 here, so a cosine is
   a dot product. */
import { fetchScene, sceneUrl } from "../../page/scenes.js";
import { select, selectedPatch } from "../../page/selection.js";
import { paintMap } from "../../ui/canvas.js";
import { el, svg } from "../../ui/dom.js";
import { percent } from "../../ui/format.js";
import { rafThrottle } from "../../ui/frame.js";
import { legend } from "../../ui/legend.js";
import { PatchPicture } from "../../ui/patch-picture.js";
export function positionsPart(choose, again) {
  let view = null,
    scene = null,
    wanted = null,
    cell = null; // cell: of the learned grid, while it is pointed at
  const similar = {};

  const learned = new PatchPicture({
    from: selectedPatch,
    label: "Similarity of the learned positions. Arrows move the position.",
    onhover: rafThrottle((row, col) => {
      cell = [row, col];
      again();
    }),
    onleave: rafThrottle(() => {
      cell = null;
      again();
    }),
    onpin: (row, col) => {
      cell = null;
      select(patchOf(row, col));
    },
    say: (row, col) => say("learned", scene?.facts.side, row, col),
  });
  learned.picture.remove();
  learned.key = (event) => {
    const move = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[
      event.key
    ];
    if (!move || !scene) return;
    cell = shownCell.map((value, axis) =>
      Math.min(Math.max(value + move[axis], 0), scene.facts.side - 1),
    );
    again();
    event.preventDefault();
  };
  learned.node.addEventListener("blur", () => {
    cell = null;
    again();
  });
  let shownCell = [0, 0];
  const given = new PatchPicture({
    from: selectedPatch,
    label:
      "Similarity of the positions this picture is given. Arrows move the patch, Enter keeps it.",
    ...choose,
    say: (row, col) => say("given", scene?.facts.grid[1], row, col),
  });
  given.picture.remove();
  const dots = svg("svg");
  dots.setAttribute("class", "inside-dots");
  learned.overlay.after(dots);
  const show = el("button", {
    type: "button",
    class: "inside-button",
    "aria-pressed": "true",
    text: "Where this picture looks",
    title:
      "A dot for every patch, at the place of the learned grid from which its position is interpolated",
    onclick: () => {
      const on = dots.style.display === "none";
      dots.style.display = on ? "" : "none";
      show.setAttribute("aria-pressed", String(on));
    },
  });
  const story = el("p", { class: "inside-details", "aria-live": "polite" });
  const titles = { learned: el("span"), given: el("span") };
  const facts = el("tbody");
  const rule = el("p", { class: "inside-quiet" });
  const figure = (part, title, words) =>
    el("figure", {}, part.node, el("figcaption", {}, el("b", { text: title }), words));

  const node = el(
    "div",
    { class: "inside-part inside-positions" },
    el(
      "div",
      { class: "inside-pair" },
      figure(learned, "As learned", titles.learned),
      figure(given, "As this picture is given them", titles.given),
    ),
    el("div", { class: "inside-token-legend" }, legend("blue-red", "cosine −1", "1")),
    el("div", { class: "inside-controls" }, show),
    story,
    el("h2", { text: "How one grid becomes the other" }),
    el("table", { class: "inside-table" }, facts),
    rule,
  );

  // ---------- numbers

  const nearest = (places, value) =>
    places.reduce(
      (best, place, i) => (Math.abs(place - value) < Math.abs(places[best] - value) ? i : best),
      0,
    );
  const patchOf = (row, col) => ({
    row: nearest(scene.rows, row),
    col: nearest(scene.columns, col),
  });
  const cellOf = (row, col) =>
    [scene.rows[row], scene.columns[col]].map((place) =>
      Math.min(Math.max(Math.round(place), 0), scene.facts.side - 1),
    );

  /* Cosine of position `index` with every other one: Float32Array. */
  function compare(name, index) {
    const [count, D] = scene.shapes[name],
      table = scene[name];
    if (similar[name]?.length !== count) similar[name] = new Float32Array(count);
    for (let i = 0, j = 0; i < count; i++) {
      let dot = 0;
      for (let k = index * D, end = k + D; k < end; k++, j++) dot += table[k] * table[j];
      similar[name][i] = dot;
    }
    return similar[name];
  }

  const signed = (value) => (value < 0 ? "−" : "") + Math.abs(value).toFixed(2);
  function say(name, columns, row, col) {
    if (!scene) return null;
    return `row ${row}, column ${col}\nlength ${scene[`${name}_norms`][row * columns + col].toFixed(3)}`;
  }

  /* The mean cosine along the row and the column of a place, itself left out. */
  function along(map, [h, w], row, col) {
    let inRow = 0,
      inColumn = 0;
    for (let i = 0; i < w; i++) if (i !== col) inRow += map[row * w + i];
    for (let i = 0; i < h; i++) if (i !== row) inColumn += map[i * w + col];
    return [inRow / Math.max(w - 1, 1), inColumn / Math.max(h - 1, 1)];
  }

  // ---------- drawing

  function update(row, col, pinned) {
    if (cell) ({ row, col } = patchOf(...cell));
    shownCell = cell ?? cellOf(row, col);
    const { side, grid } = scene.facts,
      S = [side, side];
    paintMap(learned.overlay, compare("learned", shownCell[0] * side + shownCell[1]), {
      grid: S,
      low: -1,
      high: 1,
      colours: "blue-red",
    });
    paintMap(given.overlay, compare("given", row * grid[1] + col), {
      grid,
      low: -1,
      high: 1,
      colours: "blue-red",
    });
    learned.mark(...shownCell, pinned && !cell);
    given.mark(row, col, pinned && !cell);
    const [inRow, inColumn] = along(similar.learned, S, ...shownCell);
    story.textContent =
      `Patch row ${row}, column ${col} takes its position from row ${scene.rows[row].toFixed(2)}, column ${scene.columns[col].toFixed(2)} ` +
      `of the learned grid. The position learned nearest to it, ${shownCell.join(", ")}, has a mean cosine of ${signed(inRow)} with its own row and ${signed(inColumn)} with its own column. ` +
      "What the picture shows makes no difference.";
    return {
      row,
      col,
      cell: shownCell,
      learned: similar.learned,
      given: similar.given,
      side,
      effect: scene.facts.effect,
    };
  }

  /* A dot for each patch at the place it samples, in the learned grid's own units. */
  function paintDots() {
    const { side, untouched } = scene.facts;
    dots.setAttribute("viewBox", `0 0 ${side} ${side}`);
    const path = svg("path");
    let d = "";
    for (const y of scene.rows)
      for (const x of scene.columns) d += `M${(x + 0.5).toFixed(3)} ${(y + 0.5).toFixed(3)}h0`;
    path.setAttribute("d", untouched ? "" : d);
    dots.replaceChildren(path);
    show.disabled = untouched;
  }

  function tell() {
    const {
        side,
        grid: [h, w],
        untouched,
        offset,
        antialias,
        scale,
        effect,
      } = scene.facts,
      p = view.patch_size;
    titles.learned.textContent = `${side} × ${side} positions, for ${side * p} × ${side * p} px`;
    titles.given.textContent = `${h} × ${w} positions, for ${w * p} × ${h * p} px`;
    const line = (name, value) =>
      el("tr", {}, el("th", { text: name, scope: "row" }), el("td", { text: value }));
    const last = (places, count) => places[count - 1].toFixed(2);
    const exact = (count) => (((count - 0.5) * side) / count - 0.5).toFixed(2);
    facts.replaceChildren(
      ...(untouched
        ? [line("method", "none: the learned table is used as it is")]
        : [
            line("method", `bicubic, in float32, ${antialias ? "with" : "without"} antialiasing`),
            line(
              "down",
              offset
                ? `scale factor (${h} + ${offset}) / ${side} = ${scale[0].toFixed(4)}`
                : `to the exact size, ${h} / ${side} = ${scale[0].toFixed(4)}`,
            ),
            line(
              "across",
              offset
                ? `scale factor (${w} + ${offset}) / ${side} = ${scale[1].toFixed(4)}`
                : `to the exact size, ${w} / ${side} = ${scale[1].toFixed(4)}`,
            ),
            line(
              "the last row and column look at",
              `${last(scene.rows, h)} and ${last(scene.columns, w)}` +
                (offset ? `; without the ${offset} it would be ${exact(h)} and ${exact(w)}` : ""),
            ),
            ...(offset
              ? [
                  line(
                    `what the ${offset} changes`,
                    `${percent(effect)} of a position's length, on average`,
                  ),
                ]
              : []),
          ]),
    );
    const square = h * w === side * side && h !== w;
    rule.textContent =
      `The official rule: the table is left as it is only when there are ${side * side} patches and the picture is square. ` +
      (untouched
        ? "So it is here."
        : square
          ? "Here the number is right, but the picture is not square: it is interpolated."
          : `Here there are ${h * w}.`);
  }

  // ---------- taking along

  /* Both maps side by side, sharp. */
  function png() {
    const k = Math.max(1, Math.round(560 / scene.facts.side)),
      side = scene.facts.side * k,
      [h, w] = scene.facts.grid;
    const canvas = el("canvas", { width: side + 24 + Math.round((side * w) / h), height: side }),
      pen = canvas.getContext("2d");
    pen.imageSmoothingEnabled = false;
    pen.drawImage(learned.overlay, 0, 0, side, side);
    pen.drawImage(given.overlay, side + 24, 0, canvas.width - side - 24, side);
    return canvas;
  }

  function csv() {
    const [h, w] = scene.facts.grid;
    const rows = ["row,column,learned_row,learned_column,cosine,length"];
    for (let i = 0; i < h * w; i++)
      rows.push(
        [
          Math.floor(i / w),
          i % w,
          scene.rows[Math.floor(i / w)],
          scene.columns[i % w],
          similar.given[i],
          scene.given_norms[i],
        ].join(","),
      );
    return rows.join("\n") + "\n";
  }

  const python = (
    [row, col],
    now,
  ) => `from dino_core.analysis.tokens import offset_effect, position_tables
from torch.nn.functional import normalize

learned, given = position_tables(backbone.vit, seen.grid)  # [S, S, D], [${now.grid.join(", ")}, ${now.dim}]
directions = normalize(given, dim=-1)
similarity = directions @ directions[${row}, ${col}]  # [${now.grid.join(", ")}], cosines
print(similarity)
print(offset_effect(backbone.vit, seen.grid))`;

  return {
    node,
    png,
    csv,
    python,
    update,
    key: () => view?.key,
    path: "tokens/positions",
    async load(next) {
      wanted = next.key;
      const loaded = await fetchScene(sceneUrl(next.key, "tokens/positions"));
      if (scene === loaded || wanted !== next.key) return; // there already, or overtaken
      view = next;
      scene = loaded;
      cell = null;
      const {
        side,
        grid: [h, w],
      } = scene.facts;
      learned.grid = [side, side];
      learned.node.style.aspectRatio = "1";
      given.grid = [h, w];
      given.node.style.aspectRatio = `${w} / ${h}`;
      paintDots();
      tell();
    },
    lesson: () => ({}),
  };
}
