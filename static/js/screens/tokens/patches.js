/* The picture as cut into patches, and the filters that make a vector of each.

   Pixels and filters are here, so every number of every patch's embedding is a dot product away:
     e[k] = sum over channel, y, x of filter[k] * (pixel / 255 - mean) / std + bias[k]            */
import { NetworkError } from "../../page/errors.js";
import { keep, kept as keptInLink } from "../../page/link.js";
import { fetchScene, sceneUrl } from "../../page/scenes.js";
import { selectedPatch } from "../../page/selection.js";
import { flatten, paintMap, paintRgb } from "../../ui/canvas.js";
import { choice, slider } from "../../ui/controls.js";
import { el, svg } from "../../ui/dom.js";
import { percent } from "../../ui/format.js";
import { rafThrottle } from "../../ui/frame.js";
import { legend } from "../../ui/legend.js";
import { PatchPicture } from "../../ui/patch-picture.js";
import { paintFits } from "./fits.js";

const COMPONENT_COLUMNS = 7; // 28 components in 4 rows, as in the ViT paper
const FILTER_COLUMNS = 16,
  FILTER_ROWS = 8; // of one page of raw filters
const STRIP = 64; // numbers of an embedding in a row

export function patchesPart(choose, again) {
  let view = null,
    scene = null,
    wanted = null,
    values = null,
    source = null;
  let kind = "components",
    page = 0,
    kept = linked(),
    pointed = null; // filters: { kind, index }
  let embedding = null,
    response = null,
    responded = "";

  const picture = new PatchPicture({
    from: selectedPatch,
    label: "The picture in patches. Arrows move the patch, Enter keeps it.",
    ...choose,
    say,
  });
  const lines = svg("svg");
  lines.setAttribute("class", "inside-cuts");
  picture.overlay.after(lines);
  const legendPlace = el("div", { class: "inside-token-legend" });
  const story = el("p", { class: "inside-details", "aria-live": "polite" });
  const fits = el("div", { class: "inside-fits" });
  const close = el("canvas", { class: "inside-close", role: "img" });
  const facts = el("tbody");
  const strip = atlas(
    "The numbers of this patch's embedding, one a filter. Arrows move, Enter chooses the filter.",
    (index) => chooseFilter({ kind: "filters", index }),
  );
  const numbers = el("p", { class: "inside-quiet" });
  const kinds = choice(
    "Filters",
    [
      ["components", "Principal components"],
      ["filters", "The filters themselves"],
    ],
    kind,
    (value) => turn(value, 0),
  );
  const pager = slider("Page", {
    min: 0,
    max: 0,
    say: sayPage,
    oninput: (value) => {
      page = value;
      paintFilters();
      again();
    },
  });
  const sheet = atlas(
    "Filters of the patch embedding. Arrows move, Enter chooses, Escape lets go.",
    (index) => chooseFilter({ kind, index: first() + index }),
    (index) => {
      pointed =
        index === null || first() + index >= count() ? null : { kind, index: first() + index };
      again();
    },
  );
  const large = el("canvas", { class: "inside-close", "aria-hidden": "true" });
  const about = el("p", { class: "inside-details", "aria-live": "polite" });

  const node = el(
    "div",
    { class: "inside-part inside-columns" },
    el(
      "div",
      { class: "inside-left" },
      picture.node,
      legendPlace,
      story,
      el("h2", { text: "Fitting the picture to whole patches" }),
      fits,
    ),
    el(
      "div",
      { class: "inside-left" },
      el("h2", { text: "The patch, and what the filters make of it" }),
      el(
        "div",
        { class: "inside-token-patch" },
        close,
        el("table", { class: "inside-table" }, facts),
      ),
      strip.node,
      numbers,
      el("h2", { text: "What the filters look for" }),
      el("div", { class: "inside-controls" }, kinds.node, pager.node),
      sheet.node,
      el("div", { class: "inside-token-patch" }, large, about),
    ),
  );

  // ---------- filters

  const count = () =>
    kind === "components" ? scene.shapes.components[0] : scene.shapes.filters[0];
  const perPage = () => (kind === "components" ? count() : FILTER_COLUMNS * FILTER_ROWS);
  const first = () => page * perPage();
  function sayPage(value) {
    if (!scene) return "";
    return kind === "components"
      ? `all ${count()}`
      : `${value * perPage()} to ${Math.min((value + 1) * perPage(), count()) - 1} of ${count()}`;
  }

  const pageOf = (filter) =>
    filter.kind === "components" ? 0 : Math.floor(filter.index / (FILTER_COLUMNS * FILTER_ROWS));

  function turn(value, to) {
    kind = value;
    page = to;
    kinds.set(kind);
    pager.limit(Math.ceil(count() / perPage()) - 1);
    pager.set(page);
    pager.node.style.visibility = kind === "components" ? "hidden" : "visible";
    pointed = null;
    paintFilters();
    again();
  }

  /* The filter that the link names: "components-3" or "filters-17". */
  function linked() {
    const [, name, index] = /^(components|filters)-(\d+)$/.exec(keptInLink("filter") ?? "") ?? [];
    return name ? { kind: name, index: Number(index) } : null;
  }

  function keepFilter(filter) {
    kept = filter;
    keep("filter", filter && `${filter.kind}-${filter.index}`);
  }

  function chooseFilter(filter) {
    const total =
      filter.kind === "components" ? scene.shapes.components[0] : scene.shapes.filters[0];
    if (filter.index >= total) return;
    const same = kept && kept.kind === filter.kind && kept.index === filter.index;
    keepFilter(same ? null : filter);
    if (filter.kind !== kind || pageOf(filter) !== page) turn(filter.kind, pageOf(filter));
    else again();
  }

  /* A canvas of equal cells that the pointer and the arrows walk over. */
  function atlas(label, onchoose, onpoint = () => {}) {
    const point = rafThrottle(onpoint);
    const cells = new PatchPicture({
      from: selectedPatch,
      label,
      onpin: (row, col) => {
        at = [row, col];
        onchoose(row * cells.grid[1] + col);
      },
      onhover: (row, col) => point(row * cells.grid[1] + col),
      onleave: () => point(null),
      say: (row, col) => cells.words?.(row * cells.grid[1] + col) ?? null,
    });
    let at = [0, 0];
    cells.picture.remove();
    cells.node.classList.add("inside-atlas");
    cells.key = (event) => {
      const move = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[
        event.key
      ];
      if (move) {
        at = at.map((value, axis) =>
          Math.min(Math.max(value + move[axis], 0), cells.grid[axis] - 1),
        );
        cells.mark(...at, false);
        onpoint(at[0] * cells.grid[1] + at[1]);
      } else if (event.key === "Enter") onchoose(at[0] * cells.grid[1] + at[1]);
      else if (event.key === "Escape") {
        pointed = null;
        keepFilter(null);
        again();
      } else return;
      event.preventDefault();
    };
    return cells;
  }

  /* A filter as colours: zero is grey, its largest weight full, each channel for itself. */
  function filterColour(weights, offset, length) {
    let high = 1e-12;
    for (let i = offset; i < offset + length; i++) high = Math.max(high, Math.abs(weights[i]));
    return (i) => Math.round(127.5 + (127.5 * weights[offset + i]) / high);
  }

  function paintFilters() {
    const p = scene.facts.patch_size,
      cell = p + 2,
      length = 3 * p * p,
      weights = scene[kind];
    const columns = kind === "components" ? COMPONENT_COLUMNS : FILTER_COLUMNS;
    const rows = Math.ceil(Math.min(perPage(), count()) / columns);
    sheet.grid = [rows, columns];
    sheet.node.style.aspectRatio = `${columns} / ${rows}`;
    sheet.overlay.width = columns * cell;
    sheet.overlay.height = rows * cell;
    const pen = sheet.overlay.getContext("2d"),
      tile = pen.createImageData(p, p);
    for (let i = 0; i < rows * columns && first() + i < count(); i++) {
      const colour = filterColour(weights, (first() + i) * length, length);
      for (let j = 0; j < p * p; j++)
        tile.data.set([colour(j), colour(p * p + j), colour(2 * p * p + j), 255], 4 * j);
      pen.putImageData(tile, (i % columns) * cell + 1, Math.floor(i / columns) * cell + 1);
    }
    sheet.words = (i) => (first() + i < count() ? nameOf({ kind, index: first() + i }) : null);
  }

  const nameOf = (filter) =>
    filter.kind === "components"
      ? `component ${filter.index + 1}, ${percent(scene.ratio[filter.index])} of the filters' variance`
      : `filter ${filter.index}`;

  // ---------- numbers

  /* Normalised pixels, one patch after the other, each in the order of a filter: [P, 3 p p]. */
  function unfold() {
    const {
        grid: [h, w],
        patch_size: p,
        mean,
        std,
      } = scene.facts,
      W = w * p;
    const out = new Float32Array(h * w * 3 * p * p);
    let at = 0;
    for (let row = 0; row < h; row++)
      for (let col = 0; col < w; col++)
        for (let c = 0; c < 3; c++)
          for (let y = row * p; y < row * p + p; y++)
            for (let x = col * p; x < col * p + p; x++)
              out[at++] = (scene.pixels[3 * (y * W + x) + c] / 255 - mean[c]) / std[c];
    return out;
  }

  function dot(weights, filter, patch) {
    const length = 3 * scene.facts.patch_size ** 2;
    let sum = 0;
    for (let i = filter * length, j = patch * length, end = i + length; i < end; i++, j++)
      sum += weights[i] * values[j];
    return sum;
  }

  function embed(patch) {
    const D = scene.shapes.filters[0];
    if (!embedding || embedding.length !== D) embedding = new Float32Array(D);
    for (let k = 0; k < D; k++) embedding[k] = dot(scene.filters, k, patch) + scene.bias[k];
    return embedding;
  }

  /* What one filter or component says of every patch: Float32Array [P]. */
  function respond(filter) {
    const name = `${view.key} ${filter.kind} ${filter.index}`;
    if (name === responded) return response;
    const [h, w] = scene.facts.grid,
      bias = filter.kind === "filters" ? scene.bias[filter.index] : 0;
    response = Float32Array.from(
      { length: h * w },
      (_, patch) => dot(scene[filter.kind], filter.index, patch) + bias,
    );
    responded = name;
    return response;
  }

  const signed = (value, digits = 2) => (value < 0 ? "−" : "") + Math.abs(value).toFixed(digits);

  function say(row, col) {
    if (!scene) return null;
    const patch = row * scene.facts.grid[1] + col;
    const lines = [
      `row ${row}, column ${col}`,
      `embedding: length ${scene.embedding_norms[patch].toFixed(2)}`,
    ];
    if (kept)
      lines.push(
        `${kept.kind === "filters" ? "filter" : "component"}: ${signed(respond(kept)[patch])}`,
      );
    return lines.join("\n");
  }

  // ---------- drawing

  function update(row, col, pinned) {
    const [h, w] = scene.facts.grid,
      p = scene.facts.patch_size,
      patch = row * w + col;
    picture.mark(row, col, pinned);
    paintClose(row, col);
    const e = embed(patch),
      D = e.length;
    const high = Math.max(...e.map(Math.abs), 1e-12);
    const padded = new Float32Array(strip.grid[0] * strip.grid[1]);
    padded.set(e);
    paintMap(strip.overlay, padded, { grid: strip.grid, low: -high, high, colours: "blue-red" });
    strip.words = (i) => (i < D ? `filter ${i}: ${signed(e[i], 3)}` : null);
    const line = (name, value) =>
      el("tr", {}, el("th", { text: name, scope: "row" }), el("td", { text: value }));
    const box = `x ${col * p} to ${col * p + p - 1}, y ${row * p} to ${row * p + p - 1}`;
    facts.replaceChildren(
      line("patch", `row ${row}, column ${col}`),
      line("pixels", box),
      line("length of the embedding", scene.embedding_norms[patch].toFixed(3)),
      line("length of its position", scene.position_norms[patch].toFixed(3)),
      line("length of their sum", scene.token_norms[patch].toFixed(3)),
    );
    numbers.textContent = `${D} numbers: ${[...e.subarray(0, 6)].map((value) => signed(value, 3)).join(", ")}, …  The strongest is ${signed(high === 0 ? 0 : e[strongest(e)], 3)}, by filter ${strongest(e)}.`;
    const now = pointed ?? kept,
      map = paintResponse(now, patch);
    story.textContent =
      `${h} rows of ${w} patches, ${p} × ${p} px each: ${h * w} patches of ${3 * p * p} numbers. ` +
      (now
        ? `Red: the filter's weights agree with the patch; blue: they oppose it.`
        : `Choose a filter to see what it says of every patch.`);
    return {
      embedding: e,
      norm: scene.embedding_norms[patch],
      filter: now,
      response: map,
      fits: scene.facts.fits,
      filters: count(),
    };
  }

  const strongest = (e) =>
    e.reduce((best, value, i) => (Math.abs(value) > Math.abs(e[best]) ? i : best), 0);

  function paintClose(row, col) {
    const p = scene.facts.patch_size,
      W = scene.shapes.pixels[1],
      rgb = new Uint8Array(3 * p * p);
    for (let y = 0; y < p; y++)
      rgb.set(
        scene.pixels.subarray(
          3 * ((row * p + y) * W + col * p),
          3 * ((row * p + y) * W + col * p + p),
        ),
        3 * y * p,
      );
    paintRgb(close, rgb, p, p);
    close.setAttribute(
      "aria-label",
      `The ${p} by ${p} pixels of the patch in row ${row}, column ${col}`,
    );
  }

  /* The overlay, the legend and the words of the filter under the pointer or kept. */
  function paintResponse(filter, patch) {
    const [h, w] = scene.facts.grid,
      p = scene.facts.patch_size;
    picture.overlay.hidden = !filter;
    lines.style.display = filter ? "none" : "";
    legendPlace.style.visibility = filter ? "visible" : "hidden";
    const shown =
      filter &&
      filter.kind === kind &&
      filter.index >= first() &&
      filter.index - first() < perPage();
    sheet.mark(
      ...(shown
        ? [
            Math.floor((filter.index - first()) / sheet.grid[1]),
            (filter.index - first()) % sheet.grid[1],
          ]
        : [null, null]),
      filter === kept,
    );
    strip.mark(
      ...(filter?.kind === "filters"
        ? [Math.floor(filter.index / STRIP), filter.index % STRIP]
        : [null, null]),
      filter === kept,
    );
    const length = 3 * p * p,
      drawn = filter ?? { kind, index: first() };
    const colour = filterColour(scene[drawn.kind], drawn.index * length, length);
    paintRgb(
      large,
      Uint8Array.from({ length }, (_, i) => colour((i % 3) * p * p + Math.floor(i / 3))),
      p,
      p,
    );
    large.style.opacity = filter ? 1 : 0.35;
    if (!filter) {
      about.textContent = `Each filter is a small colour picture, grey where it does not care. ${
        kind === "components"
          ? `The ${count()} directions in which the ${scene.shapes.filters[0]} filters differ most; together ${percent(
              scene.ratio.reduce((a, b) => a + b, 0),
              0,
            )} of their variance.`
          : "Each gives one number of the embedding."
      }`;
      return null;
    }
    const map = respond(filter),
      high = Math.max(...map.map(Math.abs), 1e-12);
    paintMap(picture.overlay, map, {
      offset: 0,
      grid: [h, w],
      low: -high,
      high: high,
      colours: "blue-red",
    });
    legendPlace.replaceChildren(legend("blue-red", signed(-high), signed(high)));
    const name = nameOf(filter);
    about.textContent =
      `${name[0].toUpperCase()}${name.slice(1)}. It says ${signed(map[patch], 3)} of this patch; over the picture from ${signed(Math.min(...map))} to ${signed(Math.max(...map))}.` +
      (kept ? " Click it again to let go." : " Click to keep it.");
    return map;
  }

  /* Lines between the patches: one path, sharp at any size. */
  function paintCuts() {
    const [h, w] = scene.facts.grid;
    lines.setAttribute("viewBox", `0 0 ${w} ${h}`);
    lines.setAttribute("preserveAspectRatio", "none");
    const path = svg("path");
    path.setAttribute(
      "d",
      Array.from({ length: h - 1 }, (_, i) => `M0 ${i + 1}H${w}`).join("") +
        Array.from({ length: w - 1 }, (_, i) => `M${i + 1} 0V${h}`).join(""),
    );
    lines.replaceChildren(path);
  }

  function loadPicture(url) {
    return new Promise((done, fail) => {
      const image = new Image();
      image.onload = () => done(image);
      image.onerror = () => fail(new NetworkError());
      image.src = url;
    });
  }

  // ---------- taking along

  function png() {
    if (kept) return flatten(picture.picture, picture.overlay, 0.85);
    const canvas = el("canvas", {
        width: sheet.overlay.width * 4,
        height: sheet.overlay.height * 4,
      }),
      pen = canvas.getContext("2d");
    pen.fillStyle = "#fff";
    pen.fillRect(0, 0, canvas.width, canvas.height);
    pen.imageSmoothingEnabled = false;
    pen.drawImage(sheet.overlay, 0, 0, canvas.width, canvas.height);
    return canvas;
  }

  function csv() {
    const [h, w] = scene.facts.grid,
      map = kept && respond(kept);
    const rows = [
      `row,column,embedding_norm,position_norm,token_norm${kept ? `,${kept.kind === "filters" ? "filter" : "component"}_${kept.index}` : ""}`,
    ];
    for (let i = 0; i < h * w; i++)
      rows.push(
        [
          Math.floor(i / w),
          i % w,
          scene.embedding_norms[i],
          scene.position_norms[i],
          scene.token_norms[i],
          ...(map ? [map[i]] : []),
        ].join(","),
      );
    return rows.join("\n") + "\n";
  }

  function python([row, col], now) {
    const p = now.patch_size;
    return `from dino_core.analysis.tokens import filter_components

proj = backbone.vit.patch_embed.proj  # weight [${now.dim}, 3, ${p}, ${p}], bias [${now.dim}]
patch = to_tensor(fitted.picture)[:, ${row * p}:${row * p + p}, ${col * p}:${col * p + p}]
embedding = (proj.weight * patch).sum((1, 2, 3)) + proj.bias  # [${now.dim}]
print(embedding[:6], embedding.norm())
components = filter_components(proj.weight)  # filters [28, 3, ${p}, ${p}], ratio [28]
print(components.ratio)`;
  }

  return {
    node,
    png,
    csv,
    python,
    update,
    key: () => view?.key,
    path: "tokens/patches",
    async load(next) {
      wanted = next.key;
      const [loaded, image] = await Promise.all([
        fetchScene(sceneUrl(next.key, "tokens/patches")),
        loadPicture(sceneUrl(next.key, "source.jpg")),
      ]);
      if (scene === loaded || wanted !== next.key) return; // there already, or overtaken
      view = next;
      scene = loaded;
      source = image;
      values = unfold();
      picture.show(sceneUrl(view.key, "input.jpg"), view.grid, view.input_size);
      picture.overlay.style.opacity = 0.85;
      strip.grid = [Math.ceil(scene.shapes.filters[0] / STRIP), STRIP];
      strip.node.style.aspectRatio = `${STRIP} / ${strip.grid[0]}`;
      if (kept && kept.index >= scene.shapes[kept.kind][0]) keepFilter(null);
      paintCuts();
      paintFits(fits, scene.facts, source);
      turn(kept?.kind ?? kind, kept ? pageOf(kept) : 0);
    },
    lesson(row, col) {
      const {
          grid: [h, w],
          patch_size: p,
          position_side: side,
        } = scene.facts,
        patch = row * w + col;
      return {
        p,
        P: h * w,
        pixels: 3 * p * p,
        D: scene.shapes.filters[0],
        learned: `${side} × ${side}`,
        embedding: scene.embedding_norms[patch].toFixed(2),
        position: scene.position_norms[patch].toFixed(2),
      };
    },
  };
}
