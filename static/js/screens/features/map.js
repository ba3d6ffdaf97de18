/* Clusters and map: k-means of the patches on the picture, and the same patches as points of a map,
   by PCA at once, by UMAP when the server has warmed it up. Hovering either marks both. */
import { fillLesson } from "../../page/lesson.js";
import { keep, kept } from "../../page/link.js";
import { openInPython } from "../../page/python.js";
import { sceneUrl } from "../../page/scenes.js";
import { isSparing } from "../../page/screens.js";
import { selectedPatch, selection } from "../../page/selection.js";
import { choice, slider } from "../../ui/controls.js";
import { el } from "../../ui/dom.js";
import { percent, place } from "../../ui/format.js";
import { rafThrottle } from "../../ui/frame.js";
import { PatchPicture } from "../../ui/patch-picture.js";
import { tip } from "../../ui/tooltip.js";
import { figure, paintEach, sideBySide } from "./shared.js";

const WARNING =
  "Neighbours on the map are alike; distances between far groups, and the sizes of groups, mean little.";

export function mapMode(desk) {
  let clusters = null,
    rainbow = null,
    map = null,
    points = null,
    lit = null,
    opacity = 0.75,
    moving = null,
    asking = null,
    timer = null;
  let k = Number(kept("features.k") ?? 6),
    method = kept("features.map") === "umap" ? "umap" : "pca",
    colour = "clusters";
  let neighbours = 15,
    distance = 0.1;

  const picture = new PatchPicture({
    from: selectedPatch,
    label: "The picture with its clusters. Arrows move the patch, [ and ] change the layer.",
    ...desk.pointing,
    say: (row, col) =>
      clusters
        ? `${place(row * desk.view.grid[1] + col, desk.view.grid)}\ncluster ${label(row * desk.view.grid[1] + col) + 1}`
        : null,
  });
  const left = figure(picture.node, "Clusters", "");
  const canvas = el("canvas", { class: "smooth" }),
    marker = el("i", { class: "inside-point", hidden: true });
  const plane = el(
    "div",
    {
      class: "inside-plane",
      tabindex: "0",
      role: "application",
      "aria-roledescription": "map of the patches",
      "aria-label":
        "Every patch as a point; near points are alike. Arrows move the patch in the picture, [ and ] change the layer.",
      onpointermove: (event) => hover(event),
      onpointerleave: (event) => {
        tip(plane, event, null);
        desk.hover(null, null);
      },
      onclick: (event) => {
        const at = nearest(event);
        if (at !== null) desk.pointing.onpin(...cell(at));
      },
      onkeydown: (event) => picture.key(event),
    },
    canvas,
    marker,
  );
  const right = figure(plane, "Map of the patches", "");
  const chips = el("div", {
    class: "inside-chips",
    role: "group",
    "aria-label": "Clusters: press one to see it alone",
  });
  const story = el("p", { class: "inside-details", "aria-live": "polite" });
  const kSlider = slider("Clusters", {
    min: 2,
    max: 12,
    value: k,
    oninput: rafThrottle((value) => {
      k = value;
      lit = null;
      keep("features.k", k === 6 ? null : k);
      desk.reload();
    }),
  });
  const methods = choice(
    "Map",
    [
      ["pca", "PCA"],
      ["umap", "UMAP"],
    ],
    method,
    (value) => {
      method = value;
      keep("features.map", value === "pca" ? null : value);
      desk.reload();
    },
  );
  const umapButton = methods.node.querySelector("[data-value=umap]");
  const colouring = choice(
    "Colour",
    [
      ["clusters", "Clusters"],
      ["pca", "PCA colours"],
    ],
    colour,
    (value) => {
      colour = value;
      desk.reload();
    },
  );
  const later = (set) => (value) => {
    set(value);
    clearTimeout(asking);
    asking = setTimeout(() => {
      if (method === "umap") desk.reload();
    }, 300);
  };
  const near = slider("UMAP neighbours", {
    min: 5,
    max: 60,
    value: neighbours,
    oninput: later((value) => {
      neighbours = value;
    }),
  });
  const apart = slider("UMAP smallest distance", {
    max: 0.9,
    step: 0.05,
    value: distance,
    say: (value) => value.toFixed(2),
    oninput: later((value) => {
      distance = value;
    }),
  });
  const overlay = slider("Overlay", {
    max: 1,
    step: 0.05,
    value: opacity,
    say: (value) => `${Math.round(100 * value)} %`,
    oninput: (value) => {
      opacity = value;
      picture.overlay.style.opacity = value;
    },
  });
  const node = el(
    "div",
    { class: "inside-left inside-way" },
    el(
      "div",
      { class: "inside-pair" },
      el("div", { class: "inside-left" }, left.node, chips, story),
      el(
        "div",
        { class: "inside-left" },
        right.node,
        el("p", { class: "inside-quiet", text: WARNING }),
      ),
    ),
    el("div", { class: "inside-controls" }, kSlider.node, methods.node, colouring.node),
    el(
      "details",
      { class: "inside-more" },
      el("summary", { text: "More" }),
      el("div", { class: "inside-controls" }, near.node, apart.node, overlay.node),
    ),
  );
  const still = matchMedia("(prefers-reduced-motion: reduce)");

  const label = (index) => clusters.labels[index];
  const cell = (index) => [Math.floor(index / desk.view.grid[1]), index % desk.view.grid[1]];

  // ---------- the map

  /* Points [P, 2] -> places in the unit square, one scale for both axes. */
  function fit(values) {
    const P = values.length / 2,
      low = [Infinity, Infinity],
      high = [-Infinity, -Infinity];
    for (let i = 0; i < 2 * P; i++) {
      low[i % 2] = Math.min(low[i % 2], values[i]);
      high[i % 2] = Math.max(high[i % 2], values[i]);
    }
    const span = Math.max(high[0] - low[0], high[1] - low[1], 1e-9) / 0.92;
    const out = new Float32Array(2 * P);
    for (let i = 0; i < 2 * P; i++) {
      const share = 0.5 + (values[i] - (low[i % 2] + high[i % 2]) / 2) / span;
      out[i] = i % 2 ? 1 - share : share; // up is up
    }
    return out;
  }

  const colourOf = (index) =>
    colour === "pca" && rainbow
      ? rainbow.colours.subarray(3 * index, 3 * index + 3)
      : clusters.facts.colours[label(index)];

  function drawPoints() {
    if (!points || !clusters) return;
    const side = plane.clientWidth,
      dense = Math.min(devicePixelRatio || 1, 2);
    if (!side) return;
    if (canvas.width !== Math.round(side * dense))
      canvas.width = canvas.height = Math.round(side * dense);
    const pen = canvas.getContext("2d"),
      P = points.length / 2;
    const radius = Math.max(2.2, Math.min(4.5, 90 / Math.sqrt(P))) * dense;
    pen.clearRect(0, 0, canvas.width, canvas.height);
    for (const front of lit === null ? [true] : [false, true])
      // the lit cluster lies on top
      for (let i = 0; i < P; i++) {
        if (lit !== null && (label(i) === lit) !== front) continue;
        pen.globalAlpha = front ? 0.9 : 0.12;
        pen.fillStyle = `rgb(${colourOf(i).join(" ")})`;
        pen.beginPath();
        pen.arc(points[2 * i] * canvas.width, points[2 * i + 1] * canvas.height, radius, 0, 7);
        pen.fill();
      }
  }

  /* From where the points are to where they belong: the eye can follow a group. */
  function moveTo(target) {
    cancelAnimationFrame(moving);
    const from = points;
    if (
      !from ||
      from.length !== target.length ||
      still.matches ||
      desk.root.offsetParent === null
    ) {
      points = target;
      drawPoints();
      mark();
      return;
    }
    const begin = performance.now();
    const step = (now) => {
      const t = Math.min(Math.max((now - begin) / 450, 0), 1),
        ease = t * t * (3 - 2 * t);
      points = t === 1 ? target : from.map((value, i) => value + (target[i] - value) * ease);
      drawPoints();
      mark();
      if (t < 1) moving = requestAnimationFrame(step);
    };
    moving = requestAnimationFrame(step);
  }

  function nearest(event) {
    if (!points) return null;
    const box = plane.getBoundingClientRect(),
      x = (event.clientX - box.left) / box.width,
      y = (event.clientY - box.top) / box.height;
    let best = null,
      least = (24 / box.width) ** 2;
    for (let i = 0; i < points.length / 2; i++) {
      if (lit !== null && label(i) !== lit) continue;
      const away = (points[2 * i] - x) ** 2 + (points[2 * i + 1] - y) ** 2;
      if (away < least) {
        least = away;
        best = i;
      }
    }
    return best;
  }

  function hover(event) {
    const at = nearest(event);
    if (at === null) {
      desk.hover(null, null);
      tip(plane, event, null);
      return;
    }
    desk.hover(...cell(at));
    tip(plane, event, `${place(at, desk.view.grid)}\ncluster ${label(at) + 1}`);
  }

  function mark() {
    if (!points) return;
    const index = desk.index();
    marker.hidden = false;
    marker.classList.toggle("pinned", !desk.hovered);
    marker.style.left = `${100 * points[2 * index]}%`;
    marker.style.top = `${100 * points[2 * index + 1]}%`;
  }

  // ---------- clusters

  function paint() {
    const [h, w] = clusters.facts.grid;
    paintEach(picture.overlay, h, w, colourOf, (i) => (lit === null || label(i) === lit ? 1 : 0));
    picture.overlay.style.opacity = opacity;
  }

  function fillChips() {
    const { sizes, colours } = clusters.facts,
      P = clusters.labels.length;
    chips.replaceChildren(
      ...sizes.map((size, i) =>
        el(
          "button",
          {
            type: "button",
            "aria-pressed": String(lit === i),
            "data-cluster": i,
            title: "Show this cluster alone",
            onclick: () => light(lit === i ? null : i),
          },
          el("i", { style: `background:rgb(${colours[i].join(" ")})` }),
          el("span", { text: `Cluster ${i + 1}` }),
          el("small", { text: `${size} (${percent(size / P, 0)})` }),
        ),
      ),
    );
  }

  function light(which) {
    lit = which;
    chips
      .querySelectorAll("button")
      .forEach((chip, i) => chip.setAttribute("aria-pressed", String(i === lit)));
    paint();
    drawPoints();
    desk.update();
  }

  // ---------- drawing and loading

  function update() {
    if (!clusters || !points) return false;
    const [row, col] = desk.at(),
      index = desk.index(),
      { facts } = clusters;
    picture.mark(row, col, !desk.hovered);
    mark();
    const number = label(index);
    story.textContent =
      `Patch ${place(index, facts.grid)} is in cluster ${number + 1}, with ${facts.sizes[number] - 1} others. ` +
      `The ${facts.sizes.length} clusters explain ${percent(facts.explained)} of the variance between patches (k-means, seed ${facts.seed}).`;
    return true;
  }

  function tellMethod() {
    const state = desk.around.umap,
      ready = state === "ready";
    umapButton.disabled = !ready;
    umapButton.textContent = ready
      ? "UMAP"
      : state === "broken"
        ? "UMAP (not available)"
        : "UMAP (warming up)";
    umapButton.title = ready
      ? "Keeps who is near whom"
      : "It compiles itself once after the start of the server, which takes up to a minute or two";
    const { parameters, method: made } = map.facts;
    methods.set(made);
    right.words.textContent =
      made === "umap"
        ? `UMAP of cosine distances: ${parameters.neighbours} neighbours, smallest distance ${parameters.min_distance}, seed ${parameters.seed}, started from PCA`
        : `PCA: the first two components, ${percent(parameters.ratio[0])} and ${percent(parameters.ratio[1])} of the variance`;
    clearTimeout(timer);
    if (!ready && state !== "broken") timer = setTimeout(wait, 2500);
  }

  /* Asks whether UMAP is warm, as long as this way of looking is open. */
  async function wait() {
    if (desk.root.offsetParent === null || node.hidden) {
      timer = setTimeout(wait, 2500);
      return;
    }
    await desk.look().catch(() => {});
    if (desk.around.umap === "ready" && method === "umap") desk.reload();
    else {
      tellMethod();
      desk.update();
    }
  }

  const umapQuery = () => ({
    method: "umap",
    neighbours,
    min_distance: distance,
    seed: desk.view.seed,
  });
  const clustersPath = (layer) => [`clusters/${layer}`, { k, seed: desk.view.seed }];

  async function load(layer, overtaken) {
    if (!isSparing()) await desk.look();
    const [found, flat, all] = await Promise.all([
      desk.scene(...clustersPath(layer)),
      desk.scene(`map/${layer}`),
      colour === "pca"
        ? desk.scene(`features/${layer}`, { preset: "all-patches", flip: false })
        : null,
    ]);
    if (overtaken()) return;
    if (lit !== null && (lit >= found.facts.sizes.length || clusters?.facts.layer !== layer))
      lit = null;
    const umap = method === "umap" && desk.around.umap === "ready";
    [clusters, rainbow] = [found, all];
    kSlider.set(k);
    left.words.textContent = `k-means, ${clusters.facts.sizes.length} clusters, the largest first`;
    fillChips();
    paint();
    if (!umap || map?.facts.method !== "umap" || map.facts.layer !== layer) {
      map = flat;
      moveTo(fit(map.points));
    }
    tellMethod();
    fillLesson("features", { k, explained: percent(clusters.facts.explained) });
    if (!umap) return;
    right.words.textContent = "UMAP is at work: PCA until then";
    methods.set("umap");
    const mine = await desk.scene(`map/${layer}`, umapQuery());
    if (overtaken()) return;
    map = mine;
    moveTo(fit(map.points));
    tellMethod();
  }

  // ---------- taking along

  function csv() {
    const rows = [...clusters.labels].map((number, p) =>
      [...cell(p), number + 1, map.points[2 * p], map.points[2 * p + 1]].join(","),
    );
    return `row,column,cluster,${map.facts.method}_1,${map.facts.method}_2\n${rows.join("\n")}\n`;
  }

  function python() {
    const umap = map?.facts.method === "umap",
      { seed } = desk.view;
    return `${openInPython(desk.view)}

from dino_core.analysis.clustering import kmeans
from dino_core.analysis.pca import fit_pca
from dino_core.analysis.similarity import directions

features = directions(seen.patches(layer=${selection.layer}))  # [patches, channels], length 1
clusters = kmeans(features.numpy(), ${k}, ${seed})
print(clusters.sizes, clusters.explained)
points = fit_pca(features, 2).project(features)  # the map, [patches, 2]
print(points[:3])${
      umap
        ? `

from dino_core.analysis.projection import umap_map

points = umap_map(features.numpy(), points.numpy(), ${neighbours}, ${distance}, ${seed})`
        : ""
    }`;
  }

  return {
    node,
    load,
    update,
    resized: drawPoints,
    needs: (layer) => [desk.url(...clustersPath(layer)), desk.url(`map/${layer}`)],
    state: () => ({
      k,
      labels: clusters.labels,
      sizes: clusters.facts.sizes,
      lit,
      method: map.facts.method,
      parameters: map.facts.parameters,
      points: map.points,
      places: points,
      umap: desk.around.umap,
      explained: clusters.facts.explained,
    }),
    show(view) {
      if (
        clusters &&
        (clusters.facts.grid[0] !== view.grid[0] || clusters.facts.grid[1] !== view.grid[1])
      )
        points = null;
      clusters = map = null;
      picture.show(sceneUrl(view.key, "input.jpg"), view.grid, view.input_size);
    },
    ready: () => Boolean(clusters && map),
    take: {
      png: () =>
        sideBySide([
          [picture.picture, picture.overlay, opacity],
          [canvas, canvas, 0],
        ]),
      npz: () =>
        sceneUrl(
          desk.view.key,
          map.facts.method === "umap" ? `map/${map.facts.layer}` : `clusters/${map.facts.layer}`,
          { ...(map.facts.method === "umap" ? umapQuery() : clustersPath(0)[1]), form: "npz" },
        ),
      csv,
      python,
    },
  };
}
