/* Crops: the boxes on the picture, every crop beside it with what was done to it.

   Everything shown is what the sampler decided: boxes, flips and operations come with the scene. */
import { histogram } from "../../charts/histogram.js";
import { run, sentenceOf } from "../../page/errors.js";
import { exportBar } from "../../page/export.js";
import { fillLesson } from "../../page/lesson.js";
import { keep, kept } from "../../page/link.js";
import { fetchScene, sceneUrl } from "../../page/scenes.js";
import { paintRgb } from "../../ui/canvas.js";
import { choice, slider } from "../../ui/controls.js";
import { el, svg } from "../../ui/dom.js";
import { percent } from "../../ui/format.js";
import { capital, csv, describe, nameOf, python, steps } from "./words.js";
import { overlapMatrix, sharedBy } from "./overlap.js";

export function create(root) {
  const BLURS = [
    ["as run", "Blur as it runs"],
    ["as written", "As it is written"],
  ];
  const NAMES = {
    flip: "flip",
    jitter: "colour jitter",
    grey: "grey",
    blur: "blur",
    solarize: "solarise",
  };
  // What may be chosen under "more": query name -> label, slider, where it stands in the configuration.
  const share = { min: 0.01, max: 1, step: 0.01, say: (value) => percent(value, 0) };
  const KNOBS = {
    global_low: ["Global area, from", share, "global_scale", 0],
    global_high: ["Global area, to", share, "global_scale", 1],
    local_low: ["Local area, from", share, "local_scale", 0],
    local_high: ["Local area, to", share, "local_scale", 1],
    global_size: ["Global side", { max: 336, say: (value) => `${value} px` }, "global_size"],
    local_size: ["Local side", { max: 336, say: (value) => `${value} px` }, "local_size"],
    local_count: ["Local crops", { min: 0, max: 12 }, "local_count"],
  };
  let view = null,
    scene = null,
    many = null;
  let blur = kept("blur") === "as written" ? "as written" : "as run";
  let hovered = null,
    pair = null,
    pinned = null;
  const chosen = {}; // knob -> number, only what differs from the official one
  for (const name of Object.keys(KNOBS))
    if (kept(name) !== null && Number.isFinite(Number(kept(name))))
      chosen[name] = Number(kept(name));
  if (/^\d+$/.test(kept("crop") ?? "")) pinned = Number(kept("crop"));

  // ---------- the parts of the screen

  const picture = el("img", { alt: "", draggable: "false" });
  const shade = svg("path", { class: "shade", "fill-rule": "evenodd" }),
    lines = svg("path", { class: "lines" }),
    rects = svg("g");
  const boxes = svg("svg", { "aria-hidden": "true" });
  boxes.append(shade, rects, lines);
  const canvas = el(
    "div",
    {
      class: "inside-picture plain crops",
      tabindex: "0",
      role: "application",
      "aria-roledescription": "picture with crop boxes",
      "aria-label":
        "The picture with the boxes of its crops. Arrows go from crop to crop, Enter keeps one, Escape lets it go.",
      onpointermove: (event) => hover(boxUnder(event)),
      onpointerleave: () => hover(null),
      onkeydown: key,
      onclick: (event) => pin(boxUnder(event)),
    },
    picture,
    boxes,
  );
  const details = el("p", { class: "inside-details", "aria-live": "polite" });
  const list = el("div", {
    class: "inside-crops",
    role: "group",
    "aria-label": "The crops. Arrows go from one to the next, Enter keeps one.",
  });
  const blurChoice = choice("Blur", BLURS, blur, (value) => {
    blur = value;
    keep("blur", value === "as run" ? null : value);
    run(root, draw);
  });
  const seed = el("span", { class: "inside-value" });
  const again = el("button", {
    type: "button",
    class: "inside-button",
    text: "Draw again",
    title: "The next seed, for all screens",
    onclick: () => document.getElementById("again")?.click(),
  });
  const matrix = overlapMatrix((next) => {
    pair = next;
    light();
  });
  const likely = el("table", { class: "inside-likely" });
  const knobs = el("div", { class: "inside-knobs" }),
    charts = el("div", { class: "inside-charts" });
  const more = el(
    "details",
    {
      class: "inside-more",
      ontoggle: () => {
        if (more.open) run(root, drawMany);
      },
    },
    el("summary", { text: "More: sizes, areas, and many draws" }),
    knobs,
    el("h2", { text: "Area and aspect over many draws" }),
    charts,
  );
  const take = exportBar("crops", {
    png: sheet,
    npz: () => sceneUrl(view.key, "crops", { ...query(), form: "npz" }),
    csv: () => csv(scene.facts.crops),
    python: () => python(scene.facts, view),
  });
  root.append(
    el(
      "div",
      { class: "inside-columns crops" },
      el(
        "div",
        { class: "inside-left" },
        canvas,
        el("div", { class: "inside-controls" }, again, seed, blurChoice.node),
        details,
        matrix.node,
      ),
      list,
    ),
    el(
      "section",
      { class: "inside-likelihood" },
      el("h2", { text: "How likely each operation is, and whether this draw did it" }),
      el("div", { class: "inside-scroll" }, likely),
    ),
    more,
    take.node,
  );

  // ---------- words

  const colourOf = (i) => `rgb(${scene.facts.colours[i]})`;
  const patches = (crop) => crop.size / scene.facts.patch_size;

  function describePair([a, b]) {
    const { crops } = scene.facts,
      [smaller, union] = sharedBy(scene, a, b);
    return `${capital(nameOf(crops[a]))} and ${nameOf(crops[b])} share ${smaller.toFixed(1)} % of the smaller box; intersection over union is ${union.toFixed(1)} %.`;
  }

  function describeAll() {
    const {
      crops,
      picture_size: [W, H],
    } = scene.facts;
    return `${complaint}${crops.length} crops of a picture of ${W} × ${H} px, seed ${view.seed}. Point at a box or at a crop to see which is which; a click keeps it.`;
  }

  // ---------- one crop is lit, by the pointer, the keyboard or a click

  function hover(index) {
    pair = null;
    if (hovered === index) return;
    hovered = index;
    light();
  }

  function pin(index) {
    pinned = index === null || index === pinned ? null : index;
    keep("crop", pinned);
    light();
  }

  function key(event) {
    const n = scene?.facts.crops.length ?? 0,
      now = hovered ?? pinned;
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (step && n) hover(now === null ? (step > 0 ? 0 : n - 1) : (now + step + n) % n);
    else if (event.key === "Enter" || event.key === " ") pin(now);
    else if (event.key === "Escape") {
      hovered = pinned = null;
      keep("crop", null);
      light();
    } else return;
    event.preventDefault();
  }

  /* The box whose edge is near, else the smallest that holds the point; null outside all. */
  function boxUnder(event) {
    if (!scene) return null;
    const frame = canvas.getBoundingClientRect(),
      [W, H] = scene.facts.picture_size;
    const x = ((event.clientX - frame.left) / frame.width) * W,
      y = ((event.clientY - frame.top) / frame.height) * H;
    let best = null,
      score = Infinity;
    scene.facts.crops.forEach(({ box: [x0, y0, x1, y1] }, i) => {
      const inside = Math.min(x - x0, x1 - x, y - y0, y1 - y); // distance to the nearest edge, negative outside
      const edge = (Math.abs(inside) * frame.width) / W;
      if (inside < 0 && edge > 5) return;
      const rank = edge <= 5 ? edge : 10 + (x1 - x0) * (y1 - y0);
      if (rank < score) {
        score = rank;
        best = i;
      }
    });
    return best;
  }

  function light() {
    if (!scene) return;
    const { crops } = scene.facts,
      one = hovered ?? pinned,
      lit = pair ?? (one === null ? [] : [one]);
    boxes.classList.toggle("chosen", lit.length > 0);
    [...rects.children].forEach((box, i) => box.classList.toggle("lit", lit.includes(i)));
    [...list.children].forEach((card, i) => {
      card.classList.toggle("lit", lit.includes(i));
      card.setAttribute("aria-pressed", String(i === pinned));
    });
    matrix.light(lit);
    drawGrid(lit.length === 1 ? lit[0] : null);
    details.textContent = pair
      ? describePair(pair)
      : one === null
        ? describeAll()
        : describe(crops[one], patches(crops[one]));
    root.inside = { ...root.inside, hovered, pinned, pair };
  }

  /* The lit crop's own patches on the picture; what it does not see is dimmed. */
  function drawGrid(index) {
    shade.setAttribute("d", "");
    lines.setAttribute("d", "");
    if (index === null) return;
    const [W, H] = scene.facts.picture_size,
      crop = scene.facts.crops[index],
      [x0, y0, x1, y1] = crop.box,
      n = patches(crop);
    shade.setAttribute("d", `M0 0H${W}V${H}H0ZM${x0} ${y0}H${x1}V${y1}H${x0}Z`);
    let path = "";
    for (let i = 1; i < n; i++)
      path += `M${x0 + ((x1 - x0) * i) / n} ${y0}V${y1}M${x0} ${y0 + ((y1 - y0) * i) / n}H${x1}`;
    lines.setAttribute("d", path);
  }

  // ---------- drawing

  const query = () => ({ seed: view.seed, blur, ...chosen });

  async function draw() {
    const asked = JSON.stringify([view.key, query()]);
    const next = await fetchScene(sceneUrl(view.key, "crops", query())).catch(forgive);
    if (asked !== JSON.stringify([view.key, query()])) return; // overtaken
    if (scene) complaint = "";
    scene = next;
    const {
      picture_size: [W, H],
      crops,
    } = scene.facts;
    picture.src = sceneUrl(view.key, "source.jpg");
    canvas.style.aspectRatio = `${W} / ${H}`;
    canvas.style.maxWidth = `${Math.max(200, Math.round((640 * W) / H))}px`; // a tall picture still leaves the rest in sight
    boxes.setAttribute("viewBox", `0 0 ${W} ${H}`);
    rects.replaceChildren(
      ...crops.map(({ kind, box: [x0, y0, x1, y1] }, i) =>
        svg("rect", {
          class: kind,
          x: x0,
          y: y0,
          width: x1 - x0,
          height: y1 - y0,
          stroke: colourOf(i),
        }),
      ),
    );
    hovered = pair = null;
    if (pinned >= crops.length) pinned = null;
    seed.textContent = `Seed ${view.seed}`;
    list.replaceChildren(...crops.map(card));
    matrix.show(scene, colourOf);
    fillLikely();
    fillKnobs();
    root.inside = {
      key: view.key,
      seed: view.seed,
      blur,
      crops,
      overlaps: scene.overlaps,
      config: scene.facts.config,
    };
    light();
    tellLesson();
    take.refresh();
    if (more.open) await drawMany();
  }

  /* A link may ask for what cannot be: then the first picture is the official one, and says why. */
  let complaint = "";
  function forgive(error) {
    if (scene || !Object.keys(chosen).length) throw error;
    for (const name of Object.keys(KNOBS)) {
      delete chosen[name];
      keep(name, null);
    }
    complaint = `${sentenceOf(error)} The official numbers are shown. `;
    return draw();
  }

  function card(crop, i) {
    const pixels = el("canvas", { class: "smooth" });
    paintRgb(pixels, scene[`pixels.${i}`], crop.size, crop.size);
    const after = steps(crop);
    const area = percent(crop.area_fraction, 0),
      aspect = `aspect ${crop.aspect.toFixed(2)}`;
    const words = crop.kind === "global" ? [`${area} of the area`, aspect] : [`${area}, ${aspect}`];
    return el(
      "button",
      {
        type: "button",
        class: `inside-crop ${crop.kind}`,
        "aria-label": describe(crop, patches(crop)),
        style: `--crop:${colourOf(i)};--patches:${patches(crop)}`,
        onpointerenter: () => hover(i),
        onpointerleave: () => hover(null),
        onfocus: () => hover(i),
        onblur: () => hover(null),
        onclick: () => pin(i),
        onkeydown: (event) => walk(event, i),
      },
      el("span", { class: "frame" }, pixels, el("i")),
      el("b", { text: capital(nameOf(crop)) }),
      el("span", { class: "words" }, ...words.map((text) => el("small", { text }))),
      el(
        "span",
        { class: "steps" },
        ...(after.length ? after : ["as it is"]).map((text) => el("small", { text })),
      ),
    );
  }

  function walk(event, i) {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (event.key === "Escape") pin(null);
    else if (step) list.children[(i + step + list.children.length) % list.children.length].focus();
    else return;
    event.preventDefault();
  }

  // ---------- how likely each operation is

  function fillLikely() {
    const { probabilities, fired, kinds, blurs } = scene.facts,
      other = blur === "as run" ? "as written" : "as run";
    const cell = (name, k) => {
      const times = fired[name][k],
        happened = kinds[k] === 1 ? (times ? "yes" : "no") : `${times} of ${kinds[k]}`;
      return el(
        "td",
        { class: times ? "fired" : "" },
        el("b", { text: percent(probabilities[name][k], 0) }),
        el("span", { text: happened }),
      );
    };
    const note = (name) =>
      name !== "blur"
        ? null
        : el("small", {
            text: `${blur}; ${other}: ${blurs[other].map((p) => percent(p, 0)).join(", ")}`,
          });
    likely.replaceChildren(
      el("caption", {
        class: "inside-hidden",
        text: "Probability of each operation, and whether it happened in this draw",
      }),
      el(
        "thead",
        {},
        el(
          "tr",
          {},
          el("th", { scope: "col", text: "Operation" }),
          ...["Global 1", "Global 2", "Local"].map((text) => el("th", { scope: "col", text })),
        ),
      ),
      el(
        "tbody",
        {},
        ...Object.keys(NAMES).map((name) =>
          el(
            "tr",
            {},
            el("th", { scope: "row" }, NAMES[name], note(name)),
            ...[0, 1, 2].map((k) => cell(name, k)),
          ),
        ),
      ),
    );
  }

  // ---------- more: what may be chosen, and many draws

  const sliders = {};
  let timer = null;
  const later = () => {
    clearTimeout(timer);
    timer = setTimeout(() => run(root, draw), 90);
  };
  const official = (name) => {
    const [, , field, part] = KNOBS[name],
      value = scene.facts.official[field];
    return part === undefined ? value : value[part];
  };

  function choose(name, value) {
    if (Math.abs(value - official(name)) < 1e-9) delete chosen[name];
    else chosen[name] = value;
    keep(name, chosen[name]);
  }

  function turn(name, value) {
    choose(name, value);
    const [kind, end] = name.split("_"),
      other = { low: `${kind}_high`, high: `${kind}_low` }[end];
    if (other) {
      // from is never above to: the other one goes along
      const beside = Number(sliders[other].input.value);
      if (end === "low" ? beside < value : beside > value) {
        sliders[other].set(value);
        choose(other, value);
      }
    }
    later();
  }

  function fillKnobs() {
    const { help, config, patch_size } = scene.facts;
    if (!Object.keys(sliders).length) {
      for (const [name, [label, options, field]] of Object.entries(KNOBS)) {
        const whole = name.endsWith("_size") ? { min: patch_size, step: patch_size } : {};
        sliders[name] = slider(label, {
          ...options,
          ...whole,
          oninput: (value) => turn(name, value),
        });
        knobs.append(
          el(
            "div",
            {},
            sliders[name].node,
            help[field] && !name.endsWith("_high") ? el("small", { text: help[field] }) : null,
          ),
        );
      }
      knobs.append(
        el("button", {
          type: "button",
          class: "inside-button",
          text: "The official numbers",
          onclick: () => {
            for (const name of Object.keys(KNOBS)) choose(name, official(name));
            run(root, draw);
          },
        }),
      );
    }
    for (const [name, [, , field, part]] of Object.entries(KNOBS)) {
      if (name.endsWith("_size"))
        Object.assign(sliders[name].input, {
          min: patch_size,
          step: patch_size,
          max: patch_size * Math.floor(336 / patch_size),
        });
      sliders[name].set(part === undefined ? config[field] : config[field][part]);
    }
  }

  async function drawMany() {
    const asked = JSON.stringify([view.key, query()]);
    const next = await fetchScene(sceneUrl(view.key, "crops/draws", query()));
    if (asked !== JSON.stringify([view.key, query()])) return;
    many = next;
    const series = (what) =>
      [
        ["global: ", 0, `${what}_global`],
        ["local: ", 1, `${what}_local`],
      ].map(([name, i, counts]) => ({
        name,
        colour: i ? "var(--inside-quiet)" : "var(--inside-accent)",
        counts: many[counts],
      }));
    const between = (edges, say) =>
      [...edges].slice(1).map((high, i) => `${say(edges[i])} to ${say(high)}`);
    const { draws, rates } = many.facts;
    const rate = (name) => rates[name].map((value) => percent(value, 0)).join(", ");
    charts.replaceChildren(
      histogram({
        title: `Share of the picture, ${draws} draws`,
        labels: between(many.area_edges, (v) => percent(v, 0)),
        series: series("area"),
        ends: ["0 %", "50 %", "100 %"],
      }),
      histogram({
        title: `Width / height, ${draws} draws`,
        labels: between(many.aspect_edges, (v) => v.toFixed(2)),
        series: series("aspect"),
        ends: [many.aspect_edges[0].toFixed(2), "1.00", many.aspect_edges.at(-1).toFixed(2)],
      }),
      el(
        "p",
        { class: "inside-note" },
        el("i", { style: "background:var(--inside-accent)" }),
        "global",
        el("i", { style: "background:var(--inside-quiet)" }),
        "local. ",
        `Seeds ${view.seed} to ${view.seed + draws - 1}. How often it happened in global 1, global 2 and the local crops: ${Object.keys(
          NAMES,
        )
          .map((name) => `${NAMES[name]} ${rate(name)}`)
          .join("; ")}.`,
      ),
    );
    root.inside = { ...root.inside, many: many.facts };
  }

  // ---------- the lesson's numbers

  function tellLesson() {
    const {
        crops,
        picture_size: [W, H],
        fired,
      } = scene.facts,
      [first] = crops,
      [x0, y0, x1, y1] = first.box;
    fillLesson("crops", {
      picture: `${W} × ${H} px`,
      seed: view.seed,
      share: percent(first.area_fraction),
      area: Math.round(first.area_fraction * W * H)
        .toLocaleString("en")
        .replaceAll(",", " "),
      aspect: first.aspect.toFixed(2),
      box: `${x1 - x0} × ${y1 - y0} px`,
      blur: blur === "as run" ? "as it runs" : "as it is written",
      blurred: fired.blur.reduce((a, b) => a + b, 0),
      count: crops.length,
      inside: crops.filter((crop, i) => crop.kind === "local" && sharedBy(scene, 0, i)[0] > 99.95)
        .length,
      locals: crops.length - 2,
    });
  }

  // ---------- taking along

  function sheet() {
    const {
        crops,
        picture_size: [W, H],
      } = scene.facts,
      wide = 640,
      tall = (wide * H) / W,
      gap = 16,
      side = 224,
      small = (2 * side + gap - 3 * gap) / 4;
    const rows = Math.ceil((crops.length - 2) / 4);
    const sheet = el("canvas", {
      width: wide + 3 * gap + 2 * side + gap,
      height: Math.round(2 * gap + Math.max(tall, side + rows * (small + gap))),
    });
    const pen = sheet.getContext("2d");
    pen.fillStyle = "#fff";
    pen.fillRect(0, 0, sheet.width, sheet.height);
    pen.drawImage(picture, gap, gap, wide, tall);
    crops.forEach(({ kind, index, box: [x0, y0, x1, y1] }, i) => {
      const is = kind === "global",
        size = is ? side : small,
        scale = wide / W;
      const x = wide + 2 * gap + (is ? index : index % 4) * (size + gap),
        y = gap + (is ? 0 : side + gap + Math.floor(index / 4) * (small + gap));
      pen.strokeStyle = colourOf(i);
      pen.lineWidth = 3;
      pen.strokeRect(gap + x0 * scale, gap + y0 * scale, (x1 - x0) * scale, (y1 - y0) * scale);
      pen.drawImage(list.children[i].querySelector("canvas"), x, y, size, size);
      pen.strokeRect(x + 1.5, y + 1.5, size - 3, size - 3);
    });
    return sheet;
  }

  return {
    show: (next) => {
      view = next;
      return draw();
    },
  };
}
