/* Features: four ways of looking at what a layer has made of the patches, under one selection.

   The desk is what they share: the open picture, the layer's directions, how a PCA is coloured, the
   second picture. Each way has { node, load(), needs(), update(), state(), take } and draws by itself. */
import { bus } from "../../page/bus.js";
import { ServerError, run } from "../../page/errors.js";
import { exportBar } from "../../page/export.js";
import { fillLesson } from "../../page/lesson.js";
import { keep, kept } from "../../page/link.js";
import { fetchScene, requestJson, sceneUrl } from "../../page/scenes.js";
import { isSparing } from "../../page/screens.js";
import { fitSelection, select, selection } from "../../page/selection.js";
import { choice, slider } from "../../ui/controls.js";
import { el } from "../../ui/dom.js";
import { rafThrottle } from "../../ui/frame.js";
import { coloursMode } from "./colours.js";
import { pairMode } from "./pair.js";
import { mapMode } from "./map.js";
import { compareMode } from "./compare.js";

const MODES = [
  ["colours", "Colours"],
  ["pair", "Two pictures"],
  ["map", "Clusters and map"],
  ["compare", "Compare"],
];

export function create(root) {
  let mode = MODES.some(([name]) => name === kept("features")) ? kept("features") : "colours";
  let loads = 0,
    waiting = null,
    came = 11;

  const desk = {
    root,
    view: null,
    hovered: null,
    colouring: { preset: "paper", flip: false, changes: {} },
    around: { before: null, models: [], umap: "cold" },

    /* The patch that is looked at: hovered, kept, or else the middle. */
    at() {
      const [h, w] = desk.view.grid;
      return (
        desk.hovered ??
        (selection.row === null
          ? [Math.floor(h / 2), Math.floor(w / 2)]
          : [selection.row, selection.col])
      );
    },
    index() {
      const [row, col] = desk.at();
      return row * desk.view.grid[1] + col;
    },
    hover: rafThrottle((row, col) => {
      desk.hovered = row === null ? null : [row, col];
      update();
    }),
    pointing: {
      onhover: (row, col) => desk.hover(row, col),
      onleave: () => desk.hover(null, null),
      onpin: (row, col) => {
        desk.hovered = null;
        select({ row, col });
      },
      onkey: key,
    },
    /* The PCA's settings as a query; only what was changed, so that known answers are found. */
    query() {
      const { preset, flip, changes } = desk.colouring;
      return {
        preset,
        flip,
        ...changes,
        ...(changes.components ? { components: changes.components.join(",") } : {}),
      };
    },
    url: (path, query) => sceneUrl(desk.view.key, path, query),
    scene: (path, query) => fetchScene(desk.url(path, query)),
    load: () => load(),
    reload: () => run(root, load),
    update: () => update(),
    async look() {
      desk.around = await requestJson(sceneUrl(desk.view.key, "around")).catch((error) => {
        if (error instanceof ServerError) return desk.around; // what is known stays
        throw error;
      });
      return desk.around;
    },
  };

  const layerSlider = slider("Layer", {
    max: 11,
    value: 11,
    oninput: (value) => select({ layer: value }),
  });
  const modeChoice = choice("Way of looking", MODES, mode, (name) => {
    open(name);
    desk.reload();
  });
  const ways = {
    colours: coloursMode(desk),
    pair: pairMode(desk),
    map: mapMode(desk),
    compare: compareMode(desk),
  };
  const take = exportBar("features", {
    png: () => ways[mode].take.png(),
    npz: () => ways[mode].take.npz(),
    csv: () => ways[mode].take.csv(),
    python: () => ways[mode].take.python(),
  });
  root.append(
    el("div", { class: "inside-controls inside-ways" }, modeChoice.node, layerSlider.node),
    ...Object.values(ways).map((way) => way.node),
    take.node,
  );
  open(mode);

  function open(name) {
    mode = name;
    keep("features", name === "colours" ? null : name);
    for (const [one, way] of Object.entries(ways)) way.node.hidden = one !== name;
    layerSlider.node.firstChild.textContent = name === "compare" ? "First layer" : "Layer";
  }

  function key(name) {
    if (name === "[" || name === "]")
      select({
        layer: Math.min(
          Math.max(selection.layer + (name === "]" ? 1 : -1), 0),
          desk.view.layers - 1,
        ),
      });
    else if (name === "Escape") select({ row: null, col: null });
    else if (name === "Enter") {
      if (desk.hovered) desk.pointing.onpin(...desk.hovered);
    } else return false;
    return true;
  }

  function update() {
    if (!desk.view || !ways[mode].update()) return; // nothing has been loaded yet
    const [row, col] = desk.at();
    root.inside = {
      key: desk.view.key,
      mode,
      layer: selection.layer,
      row,
      col,
      ...ways[mode].state(),
    };
    if (desk.hovered) return;
    const ready = ways[mode].ready?.() ?? true;
    for (const button of take.node.querySelectorAll(".inside-take button"))
      if (["PNG", "NPZ", "CSV"].includes(button.textContent)) button.disabled = !ready;
    take.refresh();
  }

  /* Loads what the open way shows. A way asks `overtaken()` after it has waited. */
  async function load() {
    const mine = ++loads,
      key = desk.view.key,
      layer = selection.layer;
    const overtaken = () => mine !== loads || key !== desk.view.key;
    clearTimeout(waiting);
    waiting = null;
    layerSlider.set(layer);
    await ways[mode].load(layer, overtaken);
    if (overtaken()) return;
    update();
    fillLesson("features", { d: desk.view.dim, p: desk.view.grid[0] * desk.view.grid[1], layer });
    if (isSparing()) return; // spare the newcomer's line
    if (shown() && desk.around.umap === "cold") desk.look(); // it begins to warm up
    prepare(layer, overtaken);
  }

  /* The neighbours one request after the other, those further on in the direction of travel first,
     so that the next step is instant and nothing that is waited for has to queue. */
  async function prepare(layer, overtaken) {
    const near = layer < came ? [layer - 1, layer + 1] : [layer + 1, layer - 1];
    came = layer;
    for (const next of near.filter((one) => one >= 0 && one < desk.view.layers))
      for (const url of ways[mode].needs(next)) {
        if (overtaken()) return;
        await fetchScene(url).catch(() => {});
      }
  }

  /* While another screen is open a layer may change many times: this one follows when it rests,
     or as soon as it is looked at. */
  const shown = () => root.offsetParent !== null;
  function follow() {
    if (shown()) {
      desk.reload();
      return;
    }
    clearTimeout(waiting);
    waiting = setTimeout(desk.reload, 700);
  }
  new ResizeObserver(() => {
    if (shown()) {
      if (waiting) desk.reload();
      ways[mode].resized?.();
    }
  }).observe(root);

  bus.on("selection", ({ selection: now, change }) => {
    if (!desk.view) return;
    if ("layer" in change) {
      layerSlider.set(now.layer);
      follow();
    } else update();
  });

  return {
    show(next) {
      desk.view = next;
      desk.hovered = null;
      fitSelection(next);
      layerSlider.limit(next.layers - 1);
      for (const way of Object.values(ways)) way.show(next);
      return load();
    },
  };
}
