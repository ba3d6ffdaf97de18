/* Two pictures: the similarity of both to one patch of either, and best matches as lines.

   Patches that are each other's nearest neighbour are mutual; the server finds them, and which to
   draw, because all pairs of patches are a gigaflop at 518 px. Everything at the pointer is here. */
import { InputError, run } from "../../page/errors.js";
import { fillLesson } from "../../page/lesson.js";
import { keep, kept } from "../../page/link.js";
import { openInPython } from "../../page/python.js";
import { fetchScene, requestJson, sceneUrl } from "../../page/scenes.js";
import { isSparing } from "../../page/screens.js";
import { selectedPatch, selection } from "../../page/selection.js";
import { paintMap, paintRgb } from "../../ui/canvas.js";
import { choice, slider, toggle } from "../../ui/controls.js";
import { el, svg } from "../../ui/dom.js";
import { percent, place } from "../../ui/format.js";
import { rafThrottle } from "../../ui/frame.js";
import { PatchPicture } from "../../ui/patch-picture.js";
import {
  configInPython,
  cosines,
  figure,
  mean,
  secondInPython,
  sideBySide,
  signedLegend,
} from "./shared.js";

const MAX_BYTES = 25 * 2 ** 20;

export function pairMode(desk) {
  let second = null; // { key, grid, sample, ... } of the picture beside
  let scene = null,
    joint = null,
    patches = null,
    others = null,
    similar = [null, null],
    pointed = null;
  let shows = "similarity",
    lines = Number(kept("features.lines") ?? 20),
    objectOnly = true,
    marks = true,
    opacity = 0.75;

  // The second picture's patch is this screen's own: the page's selection is one of the first.
  const own = {
    onhover: rafThrottle((row, col) => {
      pointed = row * second.grid[1] + col;
      desk.update();
    }),
    onleave: rafThrottle(() => {
      pointed = null;
      desk.update();
    }),
    onpin: () => {},
  };
  const left = new PatchPicture({
    from: selectedPatch,
    label: "The first picture. Arrows move the patch, [ and ] change the layer.",
    ...desk.pointing,
    onhover: (row, col) => {
      pointed = null;
      desk.pointing.onhover(row, col);
    },
  });
  const right = new PatchPicture({
    from: selectedPatch,
    label: "The second picture. Point at a patch to ask from there.",
    ...own,
    onkey: key,
  });
  const first = figure(left.node, "This picture", "point at a patch to ask from there");
  const beside = figure(right.node, "Second picture", "");
  const strokes = svg("svg", { class: "inside-lines", "aria-hidden": "true" });
  const under = svg("path", { class: "under" }),
    steady = svg("g", { class: "steady" }),
    asked = svg("g", { class: "asked" });
  const dots = svg("path", { class: "dots" });
  strokes.append(dots, under, steady, asked);
  const chooser = el("div", {
    class: "inside-chooser",
    ondragover: (event) => event.preventDefault(),
    ondrop: dropped,
  });
  const another = el("button", {
    type: "button",
    class: "inside-button",
    text: "Another second picture",
    onclick: () => {
      choose();
      chooser.querySelector("button")?.focus();
    },
  });
  const host = el(
    "div",
    { class: "inside-pair inside-duo" },
    first.node,
    beside.node,
    chooser,
    strokes,
  );
  const story = el("p", { class: "inside-details", "aria-live": "polite" }),
    tally = el("p", { class: "inside-details inside-tally" });
  const legendPlace = el("div", { class: "inside-legend-place" }, signedLegend());
  const showChoice = choice(
    "Shown",
    [
      ["similarity", "Similarity"],
      ["colours", "Colours together"],
      ["picture", "Pictures"],
    ],
    shows,
    (value) => {
      shows = value;
      paint();
      desk.update();
    },
  );
  const lineSlider = slider("Lines", {
    max: 80,
    value: lines,
    oninput: (value) => {
      lines = value;
      keep("features.lines", value);
      drawLines();
      desk.update();
    },
  });
  const object = toggle(
    "Lines on the object only",
    "From foreground to foreground of the PCA over both pictures",
    objectOnly,
    (value) => {
      objectOnly = value;
      desk.reload();
    },
  );
  const marking = toggle(
    "Mark all mutual matches",
    "A dot on every patch that has a mutual nearest neighbour",
    marks,
    (value) => {
      marks = value;
      drawLines();
    },
  );
  const overlay = slider("Overlay", {
    max: 1,
    step: 0.05,
    value: opacity,
    say: (value) => `${Math.round(100 * value)} %`,
    oninput: (value) => {
      opacity = value;
      paint();
    },
  });
  const controls = el(
    "div",
    { class: "inside-left" },
    el("div", { class: "inside-controls" }, showChoice.node, lineSlider.node, another),
    story,
    tally,
    el(
      "details",
      { class: "inside-more" },
      el("summary", { text: "More" }),
      el("div", { class: "inside-controls" }, object.node, marking.node, overlay.node),
    ),
  );
  const node = el("div", { class: "inside-left inside-way" }, host, legendPlace, controls);

  function key(name) {
    if (name !== "[" && name !== "]") return false;
    return desk.pointing.onkey(name);
  }

  // ---------- choosing the second picture

  /* Opens a picture beside the first: { sample }, { source: key } or a file. */
  async function bring(wanted, file = null) {
    if (file && file.size > MAX_BYTES)
      throw new InputError("The file has more than the 25 MB allowed: save the picture smaller.");
    second = await requestJson(sceneUrl(desk.view.key, "beside", wanted), {
      method: "POST",
      body: file,
    });
    second.first = desk.view.key;
    second.words = file ? file.name : sampleTitle(second.sample) || "the picture before";
    keep("features.second", second.sample || null);
    scene = null;
    right.show(sceneUrl(second.key, "input.jpg"), second.grid, second.input_size);
    const [one, two] = [desk.view.input_size, second.input_size].map(
      ([width, height]) => width / height,
    );
    host.style.setProperty("--columns", `minmax(0, ${one}fr) minmax(0, ${two}fr)`); // equal heights
    host.style.setProperty("--widest", `${Math.round(440 * (one + two) + 26)}px`);
    beside.words.textContent = second.words;
    arrange(false);
  }

  const open = (wanted, file) =>
    run(desk.root, async () => {
      await bring(wanted, file);
      await desk.load();
    });
  const samples = () =>
    [...document.querySelectorAll("#samples button[data-file]")].map((button) => [
      button.dataset.file,
      button.querySelector("img"),
    ]);
  const sampleTitle = (file) => samples().find(([name]) => name === file)?.[1].alt;

  function dropped(event) {
    event.preventDefault();
    const [file] = event.dataTransfer.files;
    if (file) open({}, file);
  }

  function choose() {
    const input = el("input", {
      type: "file",
      accept: "image/*",
      hidden: true,
      onchange: () => {
        if (input.files[0]) open({}, input.files[0]);
      },
    });
    const thumb = (src, title, onclick) =>
      el(
        "button",
        { type: "button", title, onclick },
        el("img", { src, alt: title, width: 64, height: 64 }),
      );
    const grid = el(
      "div",
      { class: "inside-samples", role: "group", "aria-label": "Second picture: samples" },
      ...samples().map(([file, image]) =>
        thumb(image.src, image.alt, () => open({ sample: file })),
      ),
    );
    if (desk.around.before)
      grid.append(
        thumb(sceneUrl(desk.around.before, "thumb.jpg"), "The picture you had open before", () =>
          open({ source: desk.around.before }),
        ),
      );
    const buttons = el(
      "div",
      { class: "inside-controls" },
      el("button", {
        type: "button",
        class: "inside-button",
        text: "Upload a picture",
        onclick: () => input.click(),
      }),
      input,
    );
    if (second)
      buttons.append(
        el("button", {
          type: "button",
          class: "inside-button",
          text: "Keep this one",
          onclick: () => {
            arrange(false);
            desk.update();
          },
        }),
      );
    chooser.replaceChildren(
      el("h2", { text: "Choose a second picture" }),
      el("p", {
        class: "inside-quiet",
        text: "Something of the same kind shows most: parts find their like. Drop a file here, or take one of these.",
      }),
      grid,
      buttons,
    );
    arrange(true);
  }

  function arrange(choosing) {
    host.classList.toggle("choosing", choosing);
    chooser.hidden = !choosing;
    beside.node.hidden = choosing;
    strokes.style.display = choosing ? "none" : "";
    another.hidden = choosing;
    for (const part of [controls, legendPlace]) part.classList.toggle("asleep", !second);
  }

  // ---------- drawing

  function paint() {
    const { grid } = scene.facts,
      size = [grid, second.grid];
    [left, right].forEach((part, side) => {
      const [h, w] = size[side];
      part.overlay.style.opacity = shows === "picture" ? 0 : opacity;
      if (shows === "colours")
        paintRgb(part.overlay, side ? joint.second_colours : joint.colours, h, w);
      else if (similar[side])
        paintMap(part.overlay, similar[side], {
          offset: 0,
          grid: [h, w],
          low: -1,
          high: 1,
          colours: "blue-red",
        });
    });
    legendPlace.classList.toggle("unused", shows !== "similarity");
  }

  function update() {
    if (!scene) return !second && Boolean(desk.view);
    const { grid } = scene.facts,
      from = pointed === null ? patches : others,
      index = pointed ?? desk.index();
    similar = [cosines(from, index, patches, similar[0]), cosines(from, index, others, similar[1])];
    if (shows === "similarity") paint();
    const there = pointed === null ? scene.forward[index] : scene.backward[index];
    const back = pointed === null ? scene.backward[there] : scene.forward[there],
      mutual = back === index;
    const [a, b] = pointed === null ? [index, there] : [there, index];
    const asking = desk.hovered || pointed !== null;
    left.mark(Math.floor(a / grid[1]), a % grid[1], !asking);
    right.mark(Math.floor(b / second.grid[1]), b % second.grid[1], !asking);
    ask(a, b, mutual, back);
    const [here, far] = pointed === null ? [grid, second.grid] : [second.grid, grid];
    const cosine =
      pointed === null ? scene.forward_similarity[index] : scene.backward_similarity[index];
    story.textContent =
      `${pointed === null ? "Patch" : "Patch of the second picture,"} ${place(index, here)}: its best match in the ${pointed === null ? "second" : "first"} picture is ${place(there, far)}, ` +
      `cosine ${cosine.toFixed(3)}. ` +
      (mutual
        ? "They are mutual nearest neighbours."
        : `Not mutual, so the line is dashed: the best match of that patch is ${place(back, here)}.`);
    return true;
  }

  /* The centre of a patch, in pixels of the host. */
  function centre(part, grid, index) {
    const box = part.node.getBoundingClientRect(),
      frame = host.getBoundingClientRect(),
      [h, w] = grid;
    return [
      box.left - frame.left + ((index % w) + 0.5) * (box.width / w),
      box.top - frame.top + (Math.floor(index / w) + 0.5) * (box.height / h),
    ];
  }
  const starts = (index) => centre(left, scene.facts.grid, index),
    ends = (index) => centre(right, second.grid, index);
  const segment = (from, to) => `M${from.map((v) => v.toFixed(1))}L${to.map((v) => v.toFixed(1))}`;

  /* What the pointer asks for: its best match, and where that one's own best match is. */
  function ask(a, b, mutual, back) {
    const paths = [[segment(starts(a), ends(b)), mutual ? "mutual" : "single"]];
    if (!mutual)
      paths.push([
        pointed === null ? segment(starts(back), ends(b)) : segment(starts(a), ends(back)),
        "single back",
      ]);
    asked.replaceChildren(
      ...paths.flatMap(([d, kind]) => [
        svg("path", { d, class: `halo ${kind}` }),
        svg("path", { d, class: `edge ${kind}` }),
      ]),
    );
    for (const part of [steady, under])
      part.classList.toggle("quiet", Boolean(desk.hovered) || pointed !== null);
  }

  function drawLines() {
    if (!scene || !second || desk.root.offsetParent === null) return;
    const shown = [...scene.lines.slice(0, lines)];
    // Told apart by hue, from left to right and top to bottom in the first picture.
    const order = [...shown].sort(
      (p, q) => (p % scene.facts.grid[1]) - (q % scene.facts.grid[1]) || p - q,
    );
    const hue = new Map(
      order.map((p, i) => [p, Math.round((300 * i) / Math.max(order.length - 1, 1))]),
    );
    const paths = shown.map((p) => [p, segment(starts(p), ends(scene.forward[p]))]);
    under.setAttribute("d", paths.map(([, d]) => d).join(""));
    steady.replaceChildren(
      ...paths.map(([p, d]) => svg("path", { d, style: `stroke: hsl(${hue.get(p)} 85% 62%)` })),
    );
    const marked = [];
    if (marks)
      scene.mutual.forEach((yes, p) => {
        if (yes) marked.push(starts(p), ends(scene.forward[p]));
      });
    dots.setAttribute("d", marked.map((at) => `M${at.map((v) => v.toFixed(1))}h0`).join(""));
    const { count, radius } = scene.facts,
      most = Math.min(scene.facts.grid[0] * scene.facts.grid[1], second.grid[0] * second.grid[1]);
    tally.textContent =
      `${count} pairs are mutual nearest neighbours, of ${most} possible (${percent(count / most)}). ` +
      `${Math.min(lines, scene.lines.length)} of ${scene.lines.length} lines are drawn: the most similar mutual pairs, each the best within ${radius} ${radius === 1 ? "patch" : "patches"} of its start` +
      (objectOnly ? ", on the object." : ".");
  }

  // ---------- loading

  async function load(layer, overtaken) {
    if (isSparing() && !kept("features.second")) {
      if (!second) choose();
    } else await ready(overtaken);
    if (overtaken() || !second || second.first !== desk.view.key) return;
    const query = { ...desk.query(), beside: second.key };
    const [found, both, mine, theirs] = await Promise.all([
      desk.scene(`matches/${layer}`, { ...query, object_only: objectOnly }),
      desk.scene(`features/${layer}`, query),
      desk.scene(`patches/${layer}`),
      fetchScene(sceneUrl(second.key, `patches/${layer}`)),
    ]);
    if (overtaken()) return;
    [scene, joint, patches, others] = [found, both, mine, theirs];
    lineSlider.limit(Math.max(Math.min(scene.lines.length, 80), 1));
    lineSlider.set(Math.min(lines, scene.lines.length));
    pointed = null;
    similar = [
      cosines(patches, desk.index(), patches, null),
      cosines(patches, desk.index(), others, null),
    ];
    paint();
    drawLines();
    fillLesson("features", {
      mutual: `${scene.facts.count} of ${scene.shapes.forward[0]}`,
      bestcos: Math.max(...scene.forward_similarity).toFixed(2),
      meancos: mean(scene.forward_similarity).toFixed(2),
    });
  }

  /* A second picture that belongs to this first one, or the question which. */
  async function ready(overtaken) {
    await desk.look();
    if (overtaken()) return;
    if (second && second.first === desk.view.key) return;
    const known = second
      ? second.sample
        ? { sample: second.sample }
        : { source: second.key }
      : kept("features.second")
        ? { sample: kept("features.second") }
        : null;
    if (!known) {
      choose();
      return;
    }
    const words = second?.words;
    try {
      await bring(known);
      if (words) beside.words.textContent = second.words = words;
    } catch (error) {
      // no longer kept, or a damaged link
      second = null;
      choose();
      console.warn(error);
    }
  }

  // ---------- taking along

  function png() {
    const canvas = sideBySide([
      [left.picture, left.overlay, shows === "picture" ? 0 : opacity],
      [right.picture, right.overlay, shows === "picture" ? 0 : opacity],
    ]);
    const pen = canvas.getContext("2d"),
      at = (index, [h, w], x0, height) => [
        x0 + ((index % w) + 0.5) * (700 / w),
        (Math.floor(index / w) + 0.5) * (height / h),
      ];
    const tall = ([h, w]) => Math.round((700 * h) / w);
    pen.lineWidth = 3;
    [...steady.children].forEach((path, i) => {
      const p = scene.lines[i];
      pen.strokeStyle = path.style.stroke;
      pen.beginPath();
      pen.moveTo(...at(p, scene.facts.grid, 0, tall(scene.facts.grid)));
      pen.lineTo(...at(scene.forward[p], second.grid, 724, tall(second.grid)));
      pen.stroke();
    });
    return canvas;
  }

  function csv() {
    const rows = [...scene.forward].map((q, p) =>
      [
        Math.floor(p / scene.facts.grid[1]),
        p % scene.facts.grid[1],
        Math.floor(q / second.grid[1]),
        q % second.grid[1],
        scene.forward_similarity[p],
        scene.mutual[p],
      ].join(","),
    );
    return `row,column,second_row,second_column,cosine,mutual\n${rows.join("\n")}\n`;
  }

  function python() {
    if (!second) return "# Choose a second picture first.";
    const layer = selection.layer;
    return `from dataclasses import replace

${openInPython(desk.view)}
${secondInPython(desk.view, second)}

from dino_core.analysis.pca import colour_features
from dino_core.analysis.similarity import match_patches, salient_matches
from dino_core.config import PCA_PRESETS

features, others = seen.patches(layer=${layer}), second.patches(layer=${layer})
matches = match_patches(features, others)
print(matches.mutual.sum(), "mutual nearest neighbours")
config = ${configInPython(desk.colouring)}
pictures = colour_features([features, others], [seen.grid, second.grid], config).pictures
kept = pictures[0].foreground.flatten() & pictures[1].foreground.flatten()[matches.forward]
lines = salient_matches(matches, seen.grid, radius=${scene?.facts.radius ?? 1}, kept=${objectOnly ? "kept" : "None"})
for patch in lines[:5].tolist():
    print(divmod(patch, seen.grid[1]), "->", divmod(int(matches.forward[patch]), second.grid[1]))`;
  }

  return {
    node,
    load,
    update,
    resized: () => {
      drawLines();
      if (scene) update();
    },
    needs(layer) {
      if (!scene) return [];
      const query = { ...desk.query(), beside: second.key };
      return [
        desk.url(`matches/${layer}`, { ...query, object_only: objectOnly }),
        desk.url(`features/${layer}`, query),
        desk.url(`patches/${layer}`),
        sceneUrl(second.key, `patches/${layer}`),
      ];
    },
    state: () => ({
      second: second?.key ?? null,
      ...(scene
        ? {
            similar: similar[0],
            secondSimilar: similar[1],
            forward: scene.forward,
            backward: scene.backward,
            mutual: scene.mutual,
            count: scene.facts.count,
            lines: Math.min(lines, scene.lines.length),
            drawn: steady.children.length,
            pointed,
            secondGrid: second.grid,
            loadedLayer: scene.facts.layer,
          }
        : {}),
    }),
    ready: () => Boolean(scene),
    show(view) {
      scene = null;
      left.show(sceneUrl(view.key, "input.jpg"), view.grid, view.input_size);
      steady.replaceChildren();
      asked.replaceChildren();
      for (const path of [under, dots]) path.setAttribute("d", "");
    },
    take: {
      png: () => png(),
      npz: () =>
        sceneUrl(desk.view.key, `matches/${selection.layer}`, {
          ...desk.query(),
          beside: second.key,
          object_only: objectOnly,
          form: "npz",
        }),
      csv,
      python,
    },
  };
}
