/* Compare: the same picture in two layers, or in two models. The second's components are put in the
   order and the signs of the first's, so that equal colours may mean equal things. */
import { fillLesson } from "../../page/lesson.js";
import { keep, kept } from "../../page/link.js";
import { openInPython } from "../../page/python.js";
import { fetchScene, requestJson, sceneUrl } from "../../page/scenes.js";
import { isSparing } from "../../page/screens.js";
import { select, selectedPatch, selection } from "../../page/selection.js";
import { paintMap, paintRgb } from "../../ui/canvas.js";
import { pick, slider } from "../../ui/controls.js";
import { el } from "../../ui/dom.js";
import { rafThrottle } from "../../ui/frame.js";
import { legend } from "../../ui/legend.js";
import { PatchPicture } from "../../ui/patch-picture.js";
import { tip } from "../../ui/tooltip.js";
import { configInPython, cosines, figure, sideBySide, signedLegend } from "./shared.js";

export function compareMode(desk) {
  let scene = null,
    table = null,
    patches = null,
    others = null,
    beside = null,
    similar = [null, null];
  let secondLayer = kept("features.layer") === null ? null : Number(kept("features.layer")),
    model = kept("features.model");

  const part = (label) =>
    new PatchPicture({
      from: selectedPatch,
      label: `${label}. Arrows move the patch, [ and ] change the first layer.`,
      ...desk.pointing,
    });
  const parts = [
    "PCA of the first",
    "PCA of the second",
    "Similarity in the first",
    "Similarity in the second",
  ].map(part);
  const figures = [
    figure(parts[0].node, "First", ""),
    figure(parts[1].node, "Second", ""),
    figure(parts[2].node, "Similarity", "cosine to the chosen patch", signedLegend()),
    figure(parts[3].node, "Similarity", "cosine to the same place", signedLegend()),
  ];
  const likeness = el("canvas"),
    here = el("i", { class: "inside-cell", hidden: true });
  const grid = el(
    "div",
    {
      class: "inside-plane inside-likeness",
      tabindex: "0",
      role: "application",
      "aria-roledescription": "table of layers",
      "aria-label": "Likeness of every layer with every layer. Arrows choose the pair.",
      onpointermove: (event) => hover(event),
      onpointerleave: (event) => tip(grid, event, null),
      onclick: (event) => choose(...under(event)),
      onkeydown: step,
    },
    likeness,
    here,
  );
  const axes = el("p", {
    class: "inside-quiet",
    text: "down: layers of the first; across: layers of the second",
  });
  const number = el("p", { class: "inside-number" }),
    story = el("p", { class: "inside-details", "aria-live": "polite" });
  const partners = el("table", { class: "inside-table" });
  const second = slider("Second layer", {
    max: 11,
    value: 5,
    oninput: rafThrottle((value) => {
      secondLayer = value;
      remember();
      desk.reload();
    }),
  });
  const models = pick("Second model", [], "", (value) => {
    model = value === desk.view.model ? null : value;
    secondLayer = null;
    beside = null;
    remember();
    desk.reload();
  });
  const alone = el("span", {
    class: "inside-quiet",
    text: "Another model can be compared once its weights are on this disk.",
  });
  const node = el(
    "div",
    { class: "inside-left inside-way" },
    el("div", { class: "inside-controls" }, second.node, models.node, alone),
    el(
      "div",
      { class: "inside-compare" },
      el("div", { class: "inside-quad" }, ...figures.map(({ node }) => node)),
      el(
        "div",
        { class: "inside-left" },
        number,
        story,
        partners,
        el("h2", { text: "Likeness of all pairs of layers (CKA)" }),
        grid,
        legend("magma", "0", "1"),
        axes,
      ),
    ),
  );

  function remember() {
    keep("features.layer", secondLayer);
    keep("features.model", model);
  }

  // ---------- the table of all layers

  const size = () => table.shapes.cka;
  function under(event) {
    const box = grid.getBoundingClientRect(),
      [L, M] = size();
    const clamp = (value, count) => Math.min(Math.max(Math.floor(value), 0), count - 1);
    return [
      clamp(((event.clientY - box.top) / box.height) * L, L),
      clamp(((event.clientX - box.left) / box.width) * M, M),
    ];
  }

  function hover(event) {
    if (!table) return;
    const [a, b] = under(event);
    tip(
      grid,
      event,
      `first: layer ${a}, second: layer ${b}\nCKA ${table.cka[a * size()[1] + b].toFixed(3)}`,
    );
  }

  function choose(a, b) {
    secondLayer = b;
    remember();
    if (a === selection.layer) desk.reload();
    else select({ layer: a });
  }

  function step(event) {
    const moves = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
    if (!moves[event.key] || !table) return;
    const [L, M] = size(),
      [dy, dx] = moves[event.key];
    choose(
      Math.min(Math.max(selection.layer + dy, 0), L - 1),
      Math.min(Math.max(secondLayer + dx, 0), M - 1),
    );
    event.preventDefault();
  }

  function drawTable() {
    const [L, M] = size();
    paintMap(likeness, table.cka, { offset: 0, grid: [L, M], low: 0, high: 1 });
    grid.style.aspectRatio = `${M} / ${L}`;
    here.hidden = false;
    Object.assign(here.style, {
      left: `${(100 * secondLayer) / M}%`,
      top: `${(100 * scene.facts.layer) / L}%`,
      width: `${100 / M}%`,
      height: `${100 / L}%`,
    });
  }

  // ---------- drawing

  /* The patch of the second that lies at the centre of patch (row, col) of the first. */
  function there(row, col) {
    const [h, w] = scene.facts.grid,
      [H, W] = scene.facts.second_grid;
    return [Math.floor(((row + 0.5) * H) / h), Math.floor(((col + 0.5) * W) / w)];
  }

  function update() {
    if (!scene) return false;
    const {
        grid: [h, w],
        second_grid: [H, W],
      } = scene.facts,
      [row, col] = desk.at(),
      [r, c] = there(row, col);
    similar = [
      cosines(patches, row * w + col, patches, similar[0]),
      cosines(others, r * W + c, others, similar[1]),
    ];
    paintMap(parts[2].overlay, similar[0], {
      offset: 0,
      grid: [h, w],
      low: -1,
      high: 1,
      colours: "blue-red",
    });
    paintMap(parts[3].overlay, similar[1], {
      offset: 0,
      grid: [H, W],
      low: -1,
      high: 1,
      colours: "blue-red",
    });
    parts.forEach((one, i) =>
      i % 2 ? one.mark(r, c, !desk.hovered) : one.mark(row, col, !desk.hovered),
    );
    story.textContent = `Of 1 at most: 1 means that the patches lie alike up to a rotation and a scale, 0 that they have nothing in common. Without the correction for chance it would be ${scene.facts.cka_biased.toFixed(3)}.`;
    return true;
  }

  function tell() {
    const { layer, second_layer, order, signs, correlation, cka, note } = scene.facts,
      other = model ?? desk.view.model;
    figures[0].words.textContent = `${desk.view.model}, layer ${layer}`;
    figures[1].words.textContent = `${other}, layer ${second_layer}, components ${order.map((c) => c + 1).join(", ")}`;
    number.replaceChildren(
      el("b", { text: cka.toFixed(3) }),
      el("span", { text: " CKA, how alike they are" }),
    );
    partners.replaceChildren(
      el(
        "tbody",
        {},
        ...["red", "green", "blue"].map((name, i) =>
          el(
            "tr",
            {},
            el(
              "th",
              { scope: "row" },
              el("i", { class: `inside-dot ${name}` }),
              ` ${name}: component ${order[i] + 1}${signs[i] < 0 ? ", turned" : ""}`,
            ),
            el("td", { text: `correlation ${correlation[i].toFixed(2)}` }),
          ),
        ),
      ),
    );
    if (note) story.textContent += ` ${note}`;
    fillLesson("features", {
      cka: cka.toFixed(3),
      ckabiased: scene.facts.cka_biased.toFixed(3),
      layers: `${layer} and ${second_layer}`,
    });
  }

  // ---------- loading

  async function load(layer, overtaken) {
    if (!isSparing()) {
      const { models: names } = await desk.look();
      if (overtaken()) return;
      if (model && !names.some(([name]) => name === model)) model = null;
      models.fill(names, model ?? desk.view.model);
      models.node.hidden = names.length < 2;
      alone.hidden = names.length > 1;
      if (!(await open(overtaken))) return;
    } else {
      models.node.hidden = true;
      alone.hidden = false;
    }
    const other = beside ?? desk.view;
    if (secondLayer === null || secondLayer >= other.layers)
      secondLayer = Math.min(model ? layer : Math.floor(desk.view.layers / 2), other.layers - 1);
    second.limit(other.layers - 1);
    second.set(secondLayer);
    const query = beside ? { beside: beside.key } : {};
    const [found, all, mine, theirs] = await Promise.all([
      desk.scene(`comparison/${layer}`, { ...desk.query(), second_layer: secondLayer, ...query }),
      desk.scene("likeness", query),
      desk.scene(`patches/${layer}`),
      fetchScene(sceneUrl(other.key, `patches/${secondLayer}`)),
    ]);
    if (overtaken()) return;
    [scene, table, patches, others] = [found, all, mine, theirs];
    const { grid: first, second_grid: wanted } = scene.facts;
    parts.forEach((one, i) =>
      one.show(
        sceneUrl(i % 2 ? other.key : desk.view.key, "input.jpg"),
        i % 2 ? wanted : first,
        i % 2 ? other.input_size : desk.view.input_size,
      ),
    );
    paintRgb(parts[0].overlay, scene.colours, ...first);
    paintRgb(parts[1].overlay, scene.second_colours, ...wanted);
    drawTable();
    update();
    tell();
  }

  /* The picture in the second model; true when it is there, or not needed. */
  async function open(overtaken) {
    if (!model || model === desk.view.model) {
      model = beside = null;
      return true;
    }
    if (beside?.first === desk.view.key && beside.model === model) return true;
    const opened = await requestJson(sceneUrl(desk.view.key, "beside", { model }), {
      method: "POST",
    });
    if (overtaken()) return false;
    beside = { ...opened, first: desk.view.key };
    return true;
  }

  // ---------- taking along

  function csv() {
    const [L, M] = size(),
      lines = [`layer,${Array.from({ length: M }, (_, i) => `second_${i}`).join(",")}`];
    for (let i = 0; i < L; i++) lines.push([i, ...table.cka.slice(i * M, (i + 1) * M)].join(","));
    return lines.join("\n") + "\n";
  }

  function python() {
    const { layer } = selection;
    const other = beside
      ? `
second = inspect(load_backbone("${beside.model}").vit, to_tensor(fit_to_patches(picture, ${beside.patch_size}, ${beside.short_side}).picture))`
      : "\nsecond = seen";
    return `from dataclasses import replace

${openInPython(desk.view)}${other}

from dino_core.analysis.comparison import align_components, linear_cka, to_grid
from dino_core.analysis.pca import colour_features, fit_pca
from dino_core.config import PCA_PRESETS

features = seen.patches(layer=${layer})
others = to_grid(second.patches(layer=${secondLayer}), second.grid, seen.grid)
print("CKA", linear_cka(features, others))
config = ${configInPython(desk.colouring)}
view = colour_features([features], [seen.grid], config).pictures[0]
kept = view.foreground.flatten()
reference = view.scores[..., list(config.components)].flatten(0, 1)[kept]
scores = fit_pca(others[kept], 8).project(others, config.whiten)[kept]
print(align_components(reference, scores))  # order, signs, correlations`;
  }

  return {
    node,
    load,
    update,
    needs: (layer) =>
      scene
        ? [
            desk.url(`comparison/${layer}`, {
              ...desk.query(),
              second_layer: secondLayer,
              ...(beside ? { beside: beside.key } : {}),
            }),
            desk.url(`patches/${layer}`),
          ]
        : [],
    state: () => ({
      secondLayer,
      model: model ?? desk.view.model,
      cka: scene.facts.cka,
      order: scene.facts.order,
      signs: scene.facts.signs,
      correlation: scene.facts.correlation,
      likeness: table.cka,
      similar: similar[0],
      secondSimilar: similar[1],
      loadedLayer: scene.facts.layer,
    }),
    show() {
      scene = table = beside = null;
    },
    ready: () => Boolean(scene),
    take: {
      png: () =>
        sideBySide([
          [parts[0].picture, parts[0].overlay, 1],
          [parts[1].picture, parts[1].overlay, 1],
        ]),
      npz: () =>
        sceneUrl(desk.view.key, `comparison/${selection.layer}`, {
          ...desk.query(),
          second_layer: secondLayer,
          ...(beside ? { beside: beside.key } : {}),
          form: "npz",
        }),
      csv,
      python,
    },
  };
}
