/* The PCA workbench: a layer's patches in the colours of three components, and beside them how
   similar every patch is to the chosen one. */
import { fillLesson } from "../../page/lesson.js";
import { openInPython } from "../../page/python.js";
import { sceneUrl } from "../../page/scenes.js";
import { selectedPatch, selection } from "../../page/selection.js";
import { settings } from "../../settings.js";
import { flatten, paintMap, paintRgb } from "../../ui/canvas.js";
import { choice, pick, slider, toggle } from "../../ui/controls.js";
import { el } from "../../ui/dom.js";
import { percent } from "../../ui/format.js";
import { rafThrottle } from "../../ui/frame.js";
import { PatchPicture } from "../../ui/patch-picture.js";
import { Outline, configInPython, cosines, figure, mean, signedLegend } from "./shared.js";

const COMPONENTS = 8;

export function coloursMode(desk) {
  let scene = null,
    patches = null,
    similar = null,
    outlined = false,
    opacity = 1;

  const colours = new PatchPicture({
    from: selectedPatch,
    label: "PCA of the patch features as colours. Arrows move the patch, [ and ] change the layer.",
    ...desk.pointing,
  });
  const likeness = new PatchPicture({
    from: selectedPatch,
    label: "Cosine similarity of every patch to the chosen one. Arrows move the patch.",
    ...desk.pointing,
  });
  const outline = new Outline(colours);
  const painted = figure(colours.node, "PCA", "");
  const alike = figure(likeness.node, "Similarity", "cosine to the chosen patch", signedLegend());
  const story = el("p", { class: "inside-details", "aria-live": "polite" });
  const explained = el("h2", { text: "Explained variance" }),
    bars = el("div", { class: "inside-bars" });

  // ---------- what can be chosen

  const presets = choice("Preset", settings.presets, "paper", (preset) =>
    settle({ preset, changes: {} }),
  );
  const flip = toggle(
    "Swap foreground and background",
    "The sign of the first component is arbitrary",
    false,
    (value) => settle({ flip: value }),
  );
  const change = (name) => (value) =>
    settle({ changes: { ...desk.colouring.changes, [name]: value } });
  const summary = el("summary", { text: "More" });
  const foreground = toggle(
    "Foreground step",
    "A first PCA parts object and background, a second one looks at the object alone",
    true,
    change("foreground"),
  );
  const threshold = slider("Threshold", {
    min: -2,
    max: 2,
    step: 0.05,
    value: 0,
    say: (value) => `${value.toFixed(2)} sd`,
    oninput: rafThrottle(change("threshold")),
  });
  const median = toggle(
    "3 × 3 median",
    "Smooths the foreground before it is cut out",
    false,
    change("median"),
  );
  const whiten = toggle(
    "Whiten",
    "Every component in units of its standard deviation",
    false,
    change("whiten"),
  );
  const range = choice(
    "Colour range",
    [
      ["minmax", "Smallest to largest"],
      ["sigmoid", "Sigmoid of 2 x"],
    ],
    "minmax",
    change("colours"),
  );
  const channels = ["Red", "Green", "Blue"].map((name, channel) =>
    pick(
      name,
      Array.from({ length: COMPONENTS }, (_, i) => [i, `${i + 1}`]),
      channel,
      (value) => {
        const components = [...scene.facts.config.components];
        components[channel] = Number(value);
        change("components")(components);
      },
    ),
  );
  const outlining = toggle("Outline", "A line around the foreground", outlined, (value) => {
    outlined = value;
    desk.update();
  });
  const overlay = slider("Overlay", {
    max: 1,
    step: 0.05,
    value: opacity,
    say: (value) => `${Math.round(100 * value)} %`,
    oninput: (value) => {
      opacity = value;
      show();
    },
  });
  const row = (...nodes) => el("div", { class: "inside-controls" }, ...nodes);
  const node = el(
    "div",
    { class: "inside-pair inside-way" },
    el(
      "div",
      { class: "inside-left" },
      painted.node,
      row(presets.node, flip.node),
      el(
        "details",
        { class: "inside-more" },
        summary,
        el(
          "div",
          { class: "inside-left" },
          row(foreground.node, threshold.node, median.node),
          row(whiten.node, range.node),
          row(
            el("span", { class: "inside-quiet", text: "Component shown as" }),
            ...channels.map((channel) => channel.node),
          ),
          row(outlining.node, overlay.node),
        ),
      ),
    ),
    el("div", { class: "inside-left" }, alike.node, story, explained, bars),
  );

  function settle(next) {
    Object.assign(desk.colouring, next);
    desk.reload();
  }

  /* The controls say what was used. */
  function reflect() {
    const { config } = scene.facts,
      { preset, changes } = desk.colouring,
      count = Object.keys(changes).length;
    presets.set(preset);
    foreground.set(config.foreground);
    threshold.set(config.threshold);
    median.set(config.median);
    whiten.set(config.whiten);
    range.set(config.colours);
    channels.forEach((channel, i) => channel.set(config.components[i]));
    flip.node.disabled = threshold.input.disabled = median.node.disabled = !config.foreground;
    summary.textContent = count
      ? `More: ${count} ${count === 1 ? "setting differs" : "settings differ"} from the preset`
      : "More";
    painted.words.textContent =
      `components ${config.components.map((c) => c + 1).join(", ")} as red, green, blue` +
      (config.foreground ? "; background black" : "");
  }

  function show() {
    colours.overlay.style.opacity = opacity;
  }

  function fillBars() {
    const { config } = scene.facts,
      total = [...new Set(config.components)].reduce((sum, c) => sum + (scene.ratio[c] ?? 0), 0);
    explained.textContent = `Shown: ${percent(total)} of the variance ${config.foreground ? "within the foreground" : "between all patches"}`;
    bars.replaceChildren(
      ...[...scene.ratio].map((share, i) => {
        const names = ["red", "green", "blue"].filter(
          (_, channel) => config.components[channel] === i,
        );
        return el(
          "div",
          { style: `--share:${share}` },
          el(
            "span",
            {},
            `component ${i + 1} `,
            ...names.map((name) =>
              el("i", { class: `inside-dot ${name}`, title: `shown as ${name}` }),
            ),
          ),
          el("i"),
          el("b", { text: percent(share) }),
        );
      }),
    );
  }

  // ---------- drawing

  function update() {
    if (!scene || !patches) return false;
    const [h, w] = scene.facts.grid,
      [r, c] = desk.at(),
      index = r * w + c,
      pinned = !desk.hovered;
    similar = cosines(patches, index, patches, similar);
    paintMap(likeness.overlay, similar, {
      offset: 0,
      grid: [h, w],
      low: -1,
      high: 1,
      colours: "blue-red",
    });
    outline.show(scene.foreground, [h, w], outlined);
    for (const part of [colours, likeness]) part.mark(r, c, pinned);
    const score = (i) => scene.scores[3 * index + i].toFixed(2);
    story.textContent =
      `Patch row ${r}, column ${c}: components ${score(0)}, ${score(1)}, ${score(2)}` +
      (scene.foreground[index] ? "" : ", background") +
      `. Its mean similarity to all patches is ${mean(similar).toFixed(2)}. ${scene.facts.note}`;
    return true;
  }

  async function load(layer, overtaken) {
    const [pca, directions] = await Promise.all([
      desk.scene(`features/${layer}`, desk.query()),
      desk.scene(`patches/${layer}`),
    ]);
    if (overtaken()) return;
    scene = pca;
    patches = directions;
    const [h, w] = scene.facts.grid;
    paintRgb(colours.overlay, scene.colours, h, w);
    reflect();
    fillBars();
    show();
    fillLesson("features", {
      first: percent(scene.ratio[0]),
      object: percent(mean(scene.foreground)),
    });
  }

  // ---------- taking along

  function csv() {
    const [, w] = scene.facts.grid,
      shown = scene.facts.config.components.map((c) => `component_${c + 1}`);
    const lines = [`row,column,${shown.join(",")},foreground,cosine_to_chosen`];
    similar.forEach((value, p) =>
      lines.push(
        [
          Math.floor(p / w),
          p % w,
          ...scene.scores.slice(3 * p, 3 * p + 3),
          scene.foreground[p],
          value,
        ].join(","),
      ),
    );
    return lines.join("\n") + "\n";
  }

  function python() {
    const layer = selection.layer;
    return `from dataclasses import replace

${openInPython(desk.view)}

from dino_core.analysis.pca import colour_features
from dino_core.analysis.similarity import cosine_similarity
from dino_core.config import PCA_PRESETS

features = seen.patches(layer=${layer})  # [patches, channels]
config = ${configInPython(desk.colouring)}
result = colour_features([features], [seen.grid], config, count=${COMPONENTS})
print(result.pca.ratio)  # explained variance
colours = result.pictures[0].colours  # [h, w, 3], 0 to 1
similar = cosine_similarity(features[[${desk.index()}]], features)[0]  # to the chosen patch
print(similar.mean())`;
  }

  return {
    node,
    load,
    update,
    needs: (layer) => [desk.url(`features/${layer}`, desk.query()), desk.url(`patches/${layer}`)],
    state: () => ({
      preset: desk.colouring.preset,
      flip: desk.colouring.flip,
      similar,
      scores: scene.scores,
      colours: scene.colours,
      foreground: scene.foreground,
      ratio: scene.ratio,
      config: scene.facts.config,
    }),
    show(view) {
      for (const part of [colours, likeness])
        part.show(sceneUrl(view.key, "input.jpg"), view.grid, view.input_size);
    },
    take: {
      png: () => flatten(colours.picture, colours.overlay, opacity),
      npz: () =>
        sceneUrl(desk.view.key, `features/${selection.layer}`, {
          ...desk.query(),
          form: "npz",
        }),
      csv,
      python,
    },
  };
}
