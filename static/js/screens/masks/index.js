/* Masks: what iBOT hides from the student, block by block.

   The blocks come with the scene in the order the sampler kept them; stepping is a look-up. */
import { histogram as bars } from "../../charts/histogram.js";
import { run } from "../../page/errors.js";
import { exportBar } from "../../page/export.js";
import { fillLesson } from "../../page/lesson.js";
import { keep, kept } from "../../page/link.js";
import { fetchScene, sceneUrl } from "../../page/scenes.js";
import { paintMap, paintRgb } from "../../ui/canvas.js";
import { slider } from "../../ui/controls.js";
import { el, svg } from "../../ui/dom.js";
import { percent, plural } from "../../ui/format.js";
import { legend } from "../../ui/legend.js";
import { maximum } from "../../ui/numbers.js";
import { tip } from "../../ui/tooltip.js";
import { batchView, placeOf } from "./batch.js";

export function create(root) {
  const FIRST_RATIO = 0.3;
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  const fromLink = (name, low, high) => {
    const text = kept(name),
      value = Number(text);
    return text !== null && value >= low && value <= high ? value : null;
  };
  let view = null,
    scene = null,
    ratio = fromLink("ratio", 0, 0.5) ?? FIRST_RATIO;
  let member = fromLink("masked", 0, 15); // a crop of the batch; null: the mask drawn for the ratio
  let shown = 0,
    wanted = fromLink("blocks", 0, 256); // blocks on the picture; null: all
  let playing = null;

  // ---------- the parts of the screen

  const crop = el("canvas", { class: "smooth" });
  const hatch = svg(
    "pattern",
    {
      id: "inside-hatch",
      width: 0.36,
      height: 0.36,
      patternUnits: "userSpaceOnUse",
      patternTransform: "rotate(45)",
    },
    svg("rect", { class: "ground", width: 0.36, height: 0.36 }),
    svg("rect", { class: "stripe", width: 0.1, height: 0.36 }),
  );
  const lines = svg("path", { class: "lines" }),
    blocks = svg("g"),
    drawing = svg("svg", { "aria-hidden": "true" }, svg("defs", {}, hatch), lines, blocks);
  const main = el(
    "div",
    {
      class: "inside-picture plain masks",
      tabindex: "0",
      role: "application",
      "aria-roledescription": "crop in patches",
      "aria-label":
        "The crop and the blocks that hide it. Left and right take blocks away and add them, Home and End all of them, space plays.",
      onkeydown: key,
      onpointermove: point,
      onpointerleave: (event) => tip(main, event, null),
    },
    crop,
    drawing,
  );
  const play = el("button", { type: "button", class: "inside-button", onclick: toggle });
  const blockSlider = slider("Blocks", {
    min: 0,
    max: 1,
    value: 0,
    say: (value) => `${value} of ${scene ? current().blocks.length : 0}`,
    oninput: (value) => {
      stop();
      step(value);
    },
  });
  const ratioSlider = slider("Masked share", {
    min: 0,
    max: 0.5,
    step: 0.01,
    value: ratio,
    say: (value) => percent(value, 0),
    oninput: (value) => {
      ratio = value;
      member = wanted = null;
      keep("ratio", ratio === FIRST_RATIO ? null : ratio);
      for (const name of ["masked", "blocks"]) keep(name, null);
      later();
    },
  });
  const seed = el("span", { class: "inside-value" });
  const again = el("button", {
    type: "button",
    class: "inside-button",
    text: "Draw again",
    title: "The next seed, for all screens",
    onclick: () => document.getElementById("again")?.click(),
  });
  const story = el("p", { class: "inside-details", "aria-live": "polite" });
  const teacher = el("canvas", { class: "smooth" }),
    student = el("canvas", { class: "smooth" }),
    random = el("canvas", { class: "smooth" });
  const figure = (canvas, title, text) =>
    el(
      "figure",
      { class: "inside-mask" },
      canvas,
      el("figcaption", {}, el("b", { text: title }), el("span", { text })),
    );
  const numbers = el("table", { class: "inside-table" }),
    chart = el("div");
  const batch = batchView((index) => pick(index));
  const often = el("canvas"),
    oftenLegend = el("div"),
    blockChart = el("div"),
    settings = el("table", { class: "inside-table settings" });
  const take = exportBar("masks", {
    png: sheet,
    npz: () => sceneUrl(view.key, "masks", { seed: view.seed, ratio, form: "npz" }),
    csv: table,
    python,
  });
  root.append(
    el(
      "div",
      { class: "inside-columns masks" },
      el(
        "div",
        { class: "inside-left" },
        main,
        el("div", { class: "inside-controls" }, blockSlider.node, play),
        el("div", { class: "inside-controls" }, ratioSlider.node, again, seed),
        story,
      ),
      el(
        "div",
        { class: "inside-left" },
        el(
          "div",
          { class: "inside-fields" },
          figure(teacher, "The teacher sees", "every patch"),
          figure(student, "The student sees", "the mask token where it is striped"),
          figure(random, "Random masking", "as many patches, one by one"),
          el("div", {}, numbers),
        ),
        chart,
      ),
    ),
    batch.node,
    el(
      "details",
      { class: "inside-more" },
      el("summary", { text: "More: where masks fall, how many blocks, and the sampler's numbers" }),
      el(
        "div",
        { class: "inside-charts" },
        el(
          "figure",
          { class: "inside-chart often" },
          el("figcaption", { text: "How often each patch is hidden" }),
          often,
          oftenLegend,
        ),
        blockChart,
      ),
      settings,
    ),
    take.node,
  );

  // ---------- which mask is shown

  /* The decisions behind it (target, achieved, rejected, blocks, neighbours) and its random twin. */
  function current() {
    const { facts } = scene,
      P = facts.grid[0] * facts.grid[1];
    if (member === null) return { ...facts, random: scene.random_mask };
    return {
      ...facts.batch_masks[member],
      random: scene.batch_random.subarray(member * P, (member + 1) * P),
    };
  }

  /* Which block hid each patch first, counted from 1; 0 where it is visible. */
  function owners(list) {
    const [h, w] = scene.facts.grid,
      owner = new Uint16Array(h * w);
    list.forEach(([top, left, height, width], i) => {
      for (let r = top; r < top + height; r++)
        for (let c = left; c < left + width; c++) owner[r * w + c] ||= i + 1;
    });
    return owner;
  }

  function step(count) {
    const last = current().blocks.length;
    shown = Math.min(Math.max(count, 0), last);
    wanted = shown === last ? null : shown;
    keep("blocks", wanted);
    paint();
  }

  function pick(index) {
    stop();
    member = index === member ? null : index;
    wanted = null;
    keep("masked", member);
    keep("blocks", null);
    showMask();
  }

  function key(event) {
    const last = current().blocks.length;
    const to = {
      ArrowRight: shown + 1,
      ArrowUp: shown + 1,
      ArrowLeft: shown - 1,
      ArrowDown: shown - 1,
      Home: 0,
      End: last,
    }[event.key];
    if (to !== undefined) {
      stop();
      step(to);
    } else if (event.key === " ") toggle();
    else if (event.key === "Escape" && member !== null) pick(null);
    else return;
    event.preventDefault();
  }

  /* Plays the blocks one by one; who asked for less motion presses for each. */
  function toggle() {
    const last = current().blocks.length;
    if (still.matches) {
      step(shown < last ? shown + 1 : 0);
      return;
    }
    if (playing) {
      stop();
      return;
    }
    if (shown === last) step(0);
    playing = setInterval(() => {
      step(shown + 1);
      if (shown >= current().blocks.length) stop();
    }, 700);
    namePlay();
  }

  function stop() {
    clearInterval(playing);
    playing = null;
    namePlay();
  }

  function namePlay() {
    play.textContent = playing ? "Pause" : still.matches ? "Next block" : "Play the blocks";
    play.disabled = Boolean(scene) && current().blocks.length === 0;
    if (root.inside) root.inside.playing = Boolean(playing);
  }

  // ---------- words

  const patches = () => scene.facts.grid[0] * scene.facts.grid[1];
  const trim = (value) => value.toFixed(2).replace(/\.?0+$/, "");

  function describe() {
    const { target, achieved, blocks: list } = current(),
      P = patches();
    const whole = Number.isInteger(ratio * P);
    const asked =
      member !== null
        ? `${placeOf(member)} of the batch: ${plural(target, "patch is", "patches are")} to be hidden (${percent(target / P)}).`
        : `${percent(ratio, 0)} of ${P} patches ${whole ? `is ${target}` : `is ${trim(ratio * P)}, cut to ${target}`}.`;
    if (target === 0)
      return member !== null
        ? `${placeOf(member)} of the batch stays whole: the student sees every patch, and the iBOT loss asks nothing.`
        : `${asked} Nothing is hidden: the student sees the whole crop.`;
    const end =
      achieved === target
        ? "the target is met."
        : `${target - achieved} short of the target: ${scene.facts.config.tries} tries in a row found no block that fits.`;
    if (shown === 0) return `${asked} No block is drawn yet.`;
    const hidden = list.slice(0, shown).reduce((sum, block) => sum + block[4], 0),
      [, , height, width, fresh] = list[shown - 1];
    return (
      `${asked} Block ${shown} of ${list.length}: ${height} × ${width} patches, ${fresh} of them new; ${hidden} hidden so far` +
      (shown === list.length ? `, ${end}` : ".")
    );
  }

  function point(event) {
    if (!scene) return;
    const box = main.getBoundingClientRect(),
      [h, w] = scene.facts.grid;
    const row = Math.min(
      Math.max(Math.floor(((event.clientY - box.top) / box.height) * h), 0),
      h - 1,
    );
    const col = Math.min(
      Math.max(Math.floor(((event.clientX - box.left) / box.width) * w), 0),
      w - 1,
    );
    const by = owners(current().blocks.slice(0, shown))[row * w + col];
    tip(
      main,
      event,
      `row ${row}, column ${col}\n${by ? `hidden by block ${by}` : "visible"}` +
        (member === null
          ? `\nhidden in ${percent(scene.hidden_share[row * w + col], 0)} of ${scene.facts.draws} draws`
          : ""),
    );
  }

  // ---------- drawing

  let timer = null;
  const later = () => {
    clearTimeout(timer);
    timer = setTimeout(() => run(root, draw), 60);
  };

  async function draw() {
    const asked = `${view.key} ${view.seed} ${ratio}`;
    const next = await fetchScene(sceneUrl(view.key, "masks", { seed: view.seed, ratio }));
    if (asked !== `${view.key} ${view.seed} ${ratio}`) return; // overtaken
    stop();
    scene = next;
    const [h, w] = scene.facts.grid,
      size = scene.shapes.pixels[0];
    for (const canvas of [crop, teacher]) paintRgb(canvas, scene.pixels, size, size);
    main.style.aspectRatio = `${w} / ${h}`;
    drawing.setAttribute("viewBox", `0 0 ${w} ${h}`);
    lines.setAttribute(
      "d",
      [
        ...Array.from({ length: w - 1 }, (_, i) => `M${i + 1} 0V${h}`),
        ...Array.from({ length: h - 1 }, (_, i) => `M0 ${i + 1}H${w}`),
      ].join(""),
    );
    seed.textContent = `Seed ${view.seed}`;
    ratioSlider.set(ratio);
    batch.show(scene, crop);
    drawDraws();
    showMask();
  }

  /* Another mask is on show: its blocks are built once, and hidden or shown by the steps. */
  function showMask() {
    const mask = current(),
      [, w] = scene.facts.grid,
      owner = owners(mask.blocks);
    blocks.replaceChildren(
      ...mask.blocks.map(([top, left, height, width, fresh], i) => {
        const own = [];
        owner.forEach((by, p) => {
          if (by === i + 1) own.push([Math.floor(p / w), p % w]);
        });
        // The label stands on the block's own new patch that is nearest to its middle: no two collide.
        const from = ([r, c]) => Math.hypot(r + 0.5 - top - height / 2, c + 0.5 - left - width / 2);
        const [row, col] = own.reduce((best, cell) => (from(cell) < from(best) ? cell : best));
        const label = (text, y, name) =>
          svg("text", { x: col + 0.5, y: row + y, class: name }, text);
        return svg(
          "g",
          { class: "block" },
          svg("path", { class: "fresh", d: own.map(([r, c]) => `M${c} ${r}h1v1h-1z`).join("") }),
          svg("rect", { x: left, y: top, width, height, class: "halo" }),
          svg("rect", { x: left, y: top, width, height, class: "edge" }),
          label(String(i + 1), 0.5, "order"),
          label(`+${fresh}`, 0.87, "fresh-count"),
        );
      }),
    );
    paintMasked(random, mask.random);
    shown = Math.min(wanted ?? mask.blocks.length, mask.blocks.length);
    blockSlider.limit(mask.blocks.length);
    batch.mark(member);
    fillNumbers(mask);
    namePlay();
    paint();
    tellLesson();
    take.refresh();
  }

  /* The crop with hidden patches striped: the mask token has no picture of its own. Its colour is
     one that grey crops do not have. */
  function paintMasked(canvas, hidden) {
    const [h, w] = scene.facts.grid,
      size = scene.shapes.pixels[0],
      patch = size / h,
      rgb = scene.pixels.slice(),
      ground = [88, 90, 146],
      stripe = [126, 129, 188];
    for (let y = 0; y < size; y++)
      for (let x = 0; x < size; x++) {
        if (!hidden[Math.floor(y / patch) * w + Math.floor(x / patch)]) continue;
        rgb.set((x + y) % 7 < 2 ? stripe : ground, 3 * (y * size + x));
      }
    paintRgb(canvas, rgb, size, size);
  }

  function paint() {
    const { blocks: list, target, achieved } = current(),
      owner = owners(list.slice(0, shown));
    [...blocks.children].forEach((block, i) => {
      block.classList.toggle("on", i < shown);
      block.classList.toggle("newest", i === shown - 1);
    });
    paintMasked(student, owner);
    blockSlider.set(shown);
    story.textContent = describe();
    const count = owner.reduce((sum, by) => sum + (by ? 1 : 0), 0);
    root.inside = {
      key: view.key,
      seed: view.seed,
      ratio,
      member,
      shown,
      count,
      achieved,
      target,
      blocks: list,
      words: story.textContent,
      playing: Boolean(playing),
    };
  }

  function fillNumbers({ target, achieved, rejected, blocks: list, neighbours }) {
    const P = patches(),
      of4 = (value) => (achieved ? `${value.toFixed(2)} of 4` : "–");
    const line = (name, ...values) =>
      el(
        "tr",
        {},
        el("th", { scope: "row", text: name }),
        ...values.map((text) => el("td", { text })),
      );
    numbers.replaceChildren(
      el(
        "thead",
        {},
        el(
          "tr",
          {},
          el("td"),
          el("th", { scope: "col", text: "blocks" }),
          el("th", { scope: "col", text: "random" }),
        ),
      ),
      el(
        "tbody",
        {},
        line("wanted", target, achieved),
        line("hidden", achieved, achieved),
        line("of the crop", percent(achieved / P), percent(achieved / P)),
        line("blocks kept", list.length, "–"),
        line("tries not kept", rejected, "–"),
        line("visible neighbours", of4(neighbours[0]), of4(neighbours[1])),
      ),
    );
  }

  // ---------- many draws

  function drawDraws() {
    const {
        target,
        draws,
        grid: [h, w],
      } = scene.facts,
      { histogram } = scene;
    const from = Math.max(
      0,
      Math.min(
        histogram.findIndex((count) => count > 0),
        target - 6,
      ),
    );
    const places = Array.from({ length: target - from + 1 }, (_, i) => from + i),
      met = histogram[target];
    chart.replaceChildren(
      bars({
        title: `Patches hidden in ${draws} draws: the target of ${target} is met ${plural(met, "time", "times")}, and never exceeded`,
        labels: places.map((count) => plural(count, "patch", "patches")),
        ends: places.length < 15 ? places : [from, target],
        series: [
          {
            name: "",
            colour: "var(--inside-accent)",
            counts: places.map((count) => histogram[count]),
          },
        ],
      }),
    );
    const taken = [...scene.block_histogram],
      mean = taken.reduce((sum, count, i) => sum + count * i, 0) / draws;
    blockChart.replaceChildren(
      bars({
        title: `Blocks in a mask, ${draws} draws: ${mean.toFixed(1)} on average`,
        labels: taken.map((_, i) => plural(i, "block", "blocks")),
        ends: taken.map((_, i) => i),
        series: [{ name: "", colour: "var(--inside-accent)", counts: taken }],
      }),
    );
    const high = maximum(scene.hidden_share, 0, h * w);
    paintMap(often, scene.hidden_share, { offset: 0, grid: [h, w], low: 0, high: high || 1 });
    oftenLegend.replaceChildren(legend("magma", "0 %", percent(high, 0)));
    const say = (value) =>
      Array.isArray(value) ? value.map((v) => trim(v)).join(" to ") : trim(value);
    settings.replaceChildren(
      el("caption", { text: "The sampler's numbers, as everywhere in this project" }),
      el(
        "tbody",
        {},
        ...Object.entries(scene.facts.config).map(([name, value]) =>
          el(
            "tr",
            {},
            el("th", { scope: "row", text: name.replaceAll("_", " ") }),
            el("td", { text: say(value) }),
            el("td", { class: "help", text: scene.facts.help[name] ?? "" }),
          ),
        ),
      ),
    );
  }

  // ---------- the lesson's numbers

  function tellLesson() {
    const {
        target,
        achieved,
        blocks: list,
        rejected,
        neighbours,
        batch_masks: all,
      } = { ...current(), batch_masks: scene.facts.batch_masks },
      P = patches();
    const masked = all.filter((one) => one.target > 0);
    fillLesson("masks", {
      patches: P,
      target,
      achieved,
      share: percent(achieved / P),
      blocks: plural(list.length, "block", "blocks"),
      rejected: plural(rejected, "try was", "tries were"),
      near: achieved ? neighbours[0].toFixed(2) : "–",
      scattered: achieved ? neighbours[1].toFixed(2) : "–",
      weight: achieved ? `1/${achieved}` : "0",
      masked: masked.length,
      crops: all.length,
      batch: percent(all.reduce((sum, one) => sum + one.achieved, 0) / (P * all.length)),
    });
  }

  // ---------- taking along

  function sheet() {
    const side = 448,
      gap = 16,
      [h, w] = scene.facts.grid,
      canvas = el("canvas", { width: 3 * side + 4 * gap, height: side + 2 * gap }),
      pen = canvas.getContext("2d");
    pen.fillStyle = "#fff";
    pen.fillRect(0, 0, canvas.width, canvas.height);
    [teacher, student, random].forEach((picture, i) =>
      pen.drawImage(picture, gap + i * (side + gap), gap, side, side),
    );
    pen.font = "600 14px system-ui, sans-serif";
    current()
      .blocks.slice(0, shown)
      .forEach(([top, left, height, width], i) => {
        const x = 2 * gap + side + (left * side) / w,
          y = gap + (top * side) / h;
        pen.strokeStyle = pen.fillStyle = "#fff";
        pen.lineWidth = 2;
        pen.strokeRect(x + 1, y + 1, (width * side) / w - 2, (height * side) / h - 2);
        pen.fillText(String(i + 1), x + 6, y + 18);
      });
    return canvas;
  }

  function table() {
    let hidden = 0;
    return (
      [
        "block,top,left,height,width,new_patches,hidden_so_far",
        ...current().blocks.map((block, i) => [i + 1, ...block, (hidden += block[4])].join(",")),
      ].join("\n") + "\n"
    );
  }

  function python() {
    const {
        grid: [h, w],
        target,
      } = scene.facts,
      file = view.sample ? `static/samples/${view.sample}` : "picture.jpg",
      grid = `(${h}, ${w})`;
    const own = member === null;
    return (
      `import torch

from dino_core import open_picture, sample_block_mask, sample_crops${own ? "" : ", sample_masks"}
from dino_core.config import CropConfig, MaskConfig${own ? "" : "\nfrom dino_core.masks import sample_random_mask"}

picture = open_picture("${file}")
crop = sample_crops(picture, CropConfig(), torch.Generator().manual_seed(${view.seed}))[0]
generator = torch.Generator().manual_seed(${view.seed})
mask = sample_block_mask(${grid}, ${target}, MaskConfig(), generator)  # mask.mask is bool ${grid.replace("(", "[").replace(")", "]")}
` +
      (own
        ? ""
        : `# The page goes on with the same generator: a random mask, then a batch.
sample_random_mask(${grid}, mask.achieved, generator)
mask = sample_masks(${scene.facts.batch_masks.length}, ${grid}, MaskConfig(), generator).block_masks[${member}]
`) +
      `print(mask.target, mask.achieved, mask.rejected)
print(*mask.blocks, sep="\\n")`
    );
  }

  namePlay();
  return {
    show: (next) => {
      view = next;
      return draw();
    },
  };
}
