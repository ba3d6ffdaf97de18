/* The walk through the blocks: shapes, how long every token is, and which patches stand out.

   Steps: 0 enters the first block, step l + 1 leaves block l. All steps are here at once. */
import { threeDigits } from "../../ui/format.js";
import { keep, kept } from "../../page/link.js";
import { fetchScene, sceneUrl } from "../../page/scenes.js";
import { select, selectedPatch, selection } from "../../page/selection.js";
import { flatten, paintMap } from "../../ui/canvas.js";
import { slider as sliderOf } from "../../ui/controls.js";
import { el, svg } from "../../ui/dom.js";
import { legend } from "../../ui/legend.js";
import { maximum } from "../../ui/numbers.js";
import { PatchPicture } from "../../ui/patch-picture.js";
import { lineChart } from "./chart.js";

const SIDES = ["above", "right", "below", "left"];
const OFFSETS = [
  [-1, 0],
  [0, 1],
  [1, 0],
  [0, -1],
];

export function blocksPart(choose, again) {
  let view = null,
    scene = null,
    wanted = null,
    before = kept("step") === "in",
    strength = 0.85,
    series = null;

  const picture = new PatchPicture({
    from: selectedPatch,
    label:
      "How long the patch tokens are. Arrows move the patch, Enter keeps it, [ and ] walk through the blocks.",
    ...choose,
    say,
  });
  const rings = svg("svg");
  rings.setAttribute("class", "inside-rings");
  picture.overlay.after(rings);
  const legendPlace = el("div", { class: "inside-token-legend" });
  const story = el("p", { class: "inside-details", "aria-live": "polite" });
  const slider = sliderOf("After", {
    min: -1,
    max: 11,
    value: 11,
    say: (value) => (value < 0 ? "no block" : `block ${value}`),
    oninput: (value) => goTo(value + 1),
  });
  const overlay = sliderOf("Overlay", {
    max: 1,
    step: 0.05,
    value: strength,
    say: (value) => `${Math.round(100 * value)} %`,
    oninput: (value) => {
      strength = value;
      picture.overlay.style.opacity = value;
    },
  });
  const lengths = lineChart({
    title: "Length of the tokens, step by step",
    onpick: goTo,
    series: [
      { name: "class token", look: "one" },
      { name: "registers, mean", look: "two" },
      { name: "patches, median", look: "three" },
      { name: "longest patch", look: "four" },
      { name: "this patch", look: "five" },
    ],
  });
  const updates = lineChart({
    title: "What a block adds, as a share of what enters it",
    onpick: goTo,
    series: [
      { name: "attention, mean patch", look: "one" },
      { name: "MLP, mean patch", look: "three" },
      { name: "attention, class token", look: "one thin" },
      { name: "MLP, class token", look: "three thin fine" },
    ],
  });
  const walk = el("tbody"),
    neighbours = el("tbody"),
    others = el("tbody");
  const note = el("p", { class: "inside-quiet" });
  const head = (...names) =>
    el("thead", {}, el("tr", {}, ...names.map((text) => el("th", { text, scope: "col" }))));

  const block = (title, names, body, ...more) =>
    el(
      "div",
      {},
      el("h2", { text: title }),
      el("table", { class: "inside-table inside-steps" }, names, body),
      ...more,
    );

  const node = el(
    "div",
    { class: "inside-part inside-blocks" },
    el(
      "div",
      { class: "inside-columns" },
      el(
        "div",
        { class: "inside-left" },
        picture.node,
        legendPlace,
        story,
        el("div", { class: "inside-controls" }, slider.node, overlay.node),
      ),
      el("div", { class: "inside-left" }, lengths.node, updates.node),
    ),
    el(
      "div",
      { class: "inside-tables" },
      block("The walk", head("step", "shape", "mean patch"), walk),
      block(
        "The patch and its neighbours",
        head("neighbour", "length", "cosine here", "as embedded"),
        neighbours,
      ),
      block(
        "Class token and registers",
        head("token", "length", "cosine to class token"),
        others,
        note,
      ),
    ),
  );

  // ---------- steps

  const stepNow = () => (before ? 0 : selection.layer + 1);
  const stepName = (step) => (step === 0 ? "in" : String(step - 1));

  function enter(first) {
    before = first;
    keep("step", first ? "in" : null);
  }

  function goTo(step) {
    enter(step === 0);
    if (before || selection.layer === step - 1) again();
    else select({ layer: step - 1 });
  }

  // ---------- numbers

  const firstPatch = () => 1 + scene.facts.registers;
  const counts = () => ({
    steps: scene.shapes.norms[0],
    N: scene.shapes.norms[1],
    P: scene.facts.grid[0] * scene.facts.grid[1],
  });
  const normOf = (step, token) => scene.norms[step * counts().N + token];

  /* The curves that do not depend on the patch: [norms, updates]. */
  function curves() {
    const { steps, N, P } = counts(),
      first = firstPatch(),
      R = scene.facts.registers,
      all = Array.from({ length: steps }, (_, s) => s);
    const mean = (values, at, count) => {
      let sum = 0;
      for (let i = at; i < at + count; i++) sum += values[i];
      return sum / count;
    };
    const update = (branch, at, count) =>
      all.map((step) =>
        step === 0 ? null : mean(scene.updates, (2 * (step - 1) + branch) * N + at, count),
      );
    return {
      mean: mean(scene.norms, first, P), // of the patches, as they enter
      lengths: [
        all.map((s) => normOf(s, 0)),
        R ? all.map((s) => mean(scene.norms, s * N + 1, R)) : [],
        [...scene.median],
        all.map((s) => maximum(scene.norms, s * N + first, P)),
      ],
      updates: [update(0, first, P), update(1, first, P), update(0, 0, 1), update(1, 0, 1)],
    };
  }

  function outliers(step) {
    const { P } = counts(),
      found = [];
    for (let p = 0; p < P; p++)
      if (normOf(step, firstPatch() + p) > scene.threshold[step]) found.push(p);
    return found;
  }

  const cosine = (value) =>
    Number.isNaN(value) ? "–" : (value < 0 ? "−" : "") + Math.abs(value).toFixed(2);

  function say(row, col) {
    if (!scene) return null;
    const step = stepNow(),
      norm = normOf(step, firstPatch() + row * scene.facts.grid[1] + col);
    return (
      `row ${row}, column ${col}\nlength ${threeDigits(norm)}, ${(norm / scene.median[step]).toFixed(2)} × median` +
      (norm > scene.threshold[step] ? "\noutlier" : "")
    );
  }

  // ---------- drawing

  function update(row, col, pinned) {
    const step = stepNow(),
      { N, P } = counts(),
      [h, w] = scene.facts.grid,
      first = firstPatch(),
      patch = row * w + col;
    const map = scene.norms.subarray(step * N + first, step * N + first + P);
    const low = Math.min(...map),
      high = Math.max(...map),
      found = outliers(step),
      norm = map[patch];
    slider.set(step - 1);
    paintMap(picture.overlay, map, { offset: 0, grid: [h, w], low: low, high: high });
    paintRings(found, w);
    picture.mark(row, col, pinned);
    legendPlace.replaceChildren(legend("magma", threeDigits(low), threeDigits(high)));
    tell(step, row, col, norm, found, high);
    lengths.redraw(
      4,
      Array.from({ length: counts().steps }, (_, s) => normOf(s, first + patch)),
    );
    lengths.cursor(step);
    updates.cursor(step);
    fillNeighbours(step, row, col);
    fillOthers(step);
    fillWalk(step);
    return {
      step,
      norm,
      median: scene.median[step],
      threshold: scene.threshold[step],
      outliers: found,
      norms: map,
      lengths: series.lengths,
      updates: series.updates,
    };
  }

  function tell(step, row, col, norm, found, high) {
    const { P } = counts(),
      { sigmas } = scene.facts,
      median = scene.median[step],
      z = (norm - median) / scene.sigma[step];
    const where = step === 0 ? "Before the first block" : `After block ${step - 1}`;
    const far = `${Math.abs(z).toFixed(1)} σ ${z < 0 ? "below" : "above"} the median`;
    story.textContent =
      `${where}, patch row ${row}, column ${col} has length ${threeDigits(norm)}, ${far} of ${threeDigits(median)}` +
      `${norm > scene.threshold[step] ? ": an outlier" : ""}. ${found.length} of ${P} patches are outliers, longer than ${threeDigits(scene.threshold[step])} = median + ${sigmas} σ; ` +
      `the longest has ${(high / median).toFixed(2)} × the median.`;
  }

  /* A ring around every outlier, white on black, in units of patches. */
  function paintRings(found, w) {
    const [h] = scene.facts.grid;
    rings.setAttribute("viewBox", `0 0 ${w} ${h}`);
    rings.setAttribute("preserveAspectRatio", "none");
    rings.replaceChildren(
      ...["under", "over"].flatMap((look) =>
        found.map((p) => {
          const ring = svg("rect");
          for (const [name, value] of Object.entries({
            class: look,
            x: (p % w) + 0.12,
            y: Math.floor(p / w) + 0.12,
            width: 0.76,
            height: 0.76,
            rx: 0.38,
          }))
            ring.setAttribute(name, value);
          return ring;
        }),
      ),
    );
  }

  const line = (...texts) =>
    el(
      "tr",
      {},
      ...texts.map((text, i) => el(i ? "td" : "th", i ? { text } : { text, scope: "row" })),
    );

  function fillNeighbours(step, row, col) {
    const { P } = counts(),
      [h, w] = scene.facts.grid,
      patch = row * w + col;
    neighbours.replaceChildren(
      ...SIDES.map((side, i) => {
        const [y, x] = [row + OFFSETS[i][0], col + OFFSETS[i][1]],
          inside = y >= 0 && y < h && x >= 0 && x < w;
        const there = inside ? normOf(step, firstPatch() + y * w + x) : NaN;
        return line(
          side,
          inside ? threeDigits(there) + (there > scene.threshold[step] ? " (outlier)" : "") : "–",
          cosine(scene.neighbours[(step * P + patch) * 4 + i]),
          cosine(scene.embedding_neighbours[patch * 4 + i]),
        );
      }),
    );
  }

  function fillOthers(step) {
    const R = scene.facts.registers;
    others.replaceChildren(
      line("class token", threeDigits(normOf(step, 0)), ""),
      ...Array.from({ length: R }, (_, r) =>
        line(
          `register ${r + 1}`,
          threeDigits(normOf(step, 1 + r)),
          cosine(scene.register_cosines[step * R + r]),
        ),
      ),
    );
    note.textContent = R
      ? "Registers are thrown away at the end: they are there to be written to."
      : "This model has no registers: if it needs scratch space, it has to take it from the patches.";
  }

  function fillWalk(step) {
    const { steps } = counts(),
      {
        updates: [attention, mlp],
      } = series;
    const long = {
      "+ positions": `|x| = ${threeDigits(series.mean)}`,
      "+ attention's update": share(attention[step]),
      "+ the MLP's update": share(mlp[step]),
    };
    walk.replaceChildren(
      ...scene.facts.steps.flatMap(({ part, name, shape }, i, all) => {
        const row = line(name, shape.join(" × "), long[name] ?? "");
        row.className =
          (part === "block" && step > 0) || (part === "before" && step === 0) ? "here" : "";
        if (part !== "block" || all[i - 1].part === "block") return [row];
        const title = el(
          "tr",
          { class: `block ${row.className}` },
          el("th", {
            colspan: 3,
            scope: "row",
            text:
              step === 0 ? `${steps - 1} blocks, each:` : `Block ${step - 1}, one of ${steps - 1}:`,
          }),
        );
        return [title, row];
      }),
    );
  }

  const share = (value) => (value === null ? "" : `${value.toFixed(2)} |x|`);

  // ---------- taking along

  /* The map with its rings, which are no part of the overlay's canvas. */
  function png() {
    const canvas = flatten(picture.picture, picture.overlay, strength),
      pen = canvas.getContext("2d");
    const [, w] = scene.facts.grid,
      k = canvas.width / w;
    pen.globalAlpha = 1;
    pen.strokeStyle = "#fff";
    pen.lineWidth = 2;
    for (const p of outliers(stepNow())) {
      pen.beginPath();
      pen.arc(((p % w) + 0.5) * k, (Math.floor(p / w) + 0.5) * k, 0.38 * k, 0, 7);
      pen.stroke();
    }
    return canvas;
  }

  function csv() {
    const { steps, N } = counts(),
      first = firstPatch(),
      [, w] = scene.facts.grid;
    const name = (t) =>
      t === 0
        ? "class token,,"
        : t < first
          ? `register ${t},,`
          : `patch,${Math.floor((t - first) / w)},${(t - first) % w}`;
    const rows = [
      `token,row,column,${Array.from({ length: steps }, (_, s) => (s === 0 ? "norm_in" : `norm_after_block_${s - 1}`)).join(",")}`,
    ];
    for (let t = 0; t < N; t++)
      rows.push([name(t), ...Array.from({ length: steps }, (_, s) => normOf(s, t))].join(","));
    return rows.join("\n") + "\n";
  }

  const python = (
    place,
    now,
  ) => `from dino_core.analysis.tokens import find_outliers, relative_updates, stream_norms

norms = stream_norms(seen)  # [${now.layers + 1}, tokens], row 0 enters the first block
patches = norms[:, seen.first_patch :]
outliers = find_outliers(patches, ${scene.facts.sigmas})
print(outliers.threshold[${stepNow()}], outliers.mask[${stepNow()}].nonzero().flatten())
added = relative_updates(seen)[:, :, seen.first_patch :].mean(-1)  # [${now.layers}, 2]: attention, MLP
print(added)`;

  return {
    node,
    png,
    csv,
    python,
    update,
    key: () => view?.key,
    path: "tokens/blocks",
    step: (by) => scene && goTo(Math.min(Math.max(stepNow() + by, 0), counts().steps - 1)),
    layerChosen: () => enter(false),
    async load(next) {
      wanted = next.key;
      const loaded = await fetchScene(sceneUrl(next.key, "tokens/blocks"));
      if (scene === loaded || wanted !== next.key) return; // there already, or overtaken
      view = next;
      scene = loaded;
      picture.show(sceneUrl(view.key, "input.jpg"), view.grid, view.input_size);
      picture.overlay.style.opacity = strength;
      slider.limit(view.layers - 1);
      series = curves();
      lengths.draw(
        [...series.lengths, []],
        stepName,
        scene.facts.registers ? [0, 1, 2, 3] : [0, 2, 3],
      );
      updates.draw(series.updates, stepName);
    },
    lesson() {
      const step = stepNow(),
        { N } = counts();
      const high = maximum(scene.norms, step * N + firstPatch(), N - firstPatch());
      return {
        N,
        step: step === 0 ? "0, before the first block" : `${step}, after block ${step - 1}`,
        threshold: threeDigits(scene.threshold[step]),
        outliers: outliers(step).length,
        longest: (high / scene.median[step]).toFixed(2),
      };
    },
  };
}
