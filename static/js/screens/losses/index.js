/* Heads and losses: what student and teacher say of every crop and masked patch, and what it costs.

   All numbers of a picture, seed and pair come in one answer; pointing at a crop or a patch is a
   look-up. Another temperature asks anew, which costs the server a few milliseconds. */
import { bus } from "../../page/bus.js";
import { run } from "../../page/errors.js";
import { exportBar } from "../../page/export.js";
import { fillLesson } from "../../page/lesson.js";
import { keep, kept } from "../../page/link.js";
import { fetchScene, requestJson, sceneUrl } from "../../page/scenes.js";
import { selectedPatch } from "../../page/selection.js";
import { flatten, paintRgb } from "../../ui/canvas.js";
import { colourTable, inkOn } from "../../ui/colours.js";
import { choice, slider } from "../../ui/controls.js";
import { el } from "../../ui/dom.js";
import { legend } from "../../ui/legend.js";
import { PatchPicture } from "../../ui/patch-picture.js";
import { best, distributionView } from "./words.js";

export function create(root) {
  const TARGETS = [
    ["centering", "Centring"],
    ["sinkhorn_knopp", "Sinkhorn-Knopp"],
  ];
  const FIRST = "preview",
    GLOBALS = 2,
    EXAMPLES = 3,
    EXAMPLE = 38; // px
  const numberFromLink = (name, low, high) => {
    const value = Number(kept(name));
    return kept(name) !== null && value >= low && value <= high ? value : null;
  };
  const pairFromLink = (name) => {
    const found = /^(\d+)[.](\d+)$/.exec(kept(name) ?? "");
    return found ? [Number(found[1]), Number(found[2])] : null;
  };
  let view = null,
    scene = null,
    steps = { preview: 0, cifar: 0 },
    sheet = "";
  let pair = kept("pair") ?? FIRST,
    targets = kept("targets"),
    hot = numberFromLink("hot", 0.01, 0.1),
    soft = numberFromLink("soft", 0.05, 0.3);
  let pinned = pairFromLink("between"),
    shown = null; // [student crop, teacher view]
  let patch = pairFromLink("patch"),
    under = null; // [row, column] on global crop 1

  // ---------- the parts of the screen

  const pairs = el("select", {
    "aria-label": "Heads",
    onchange: () => {
      pair = pairs.value;
      targets = hot = soft = null;
      for (const name of ["targets", "hot", "soft"]) keep(name, null);
      keep("pair", pair === FIRST ? null : pair);
      again();
    },
  });
  const byTargets = choice("The teacher's targets by", TARGETS, "", (value) => {
    targets = value;
    again();
  });
  const three = (value) => value.toFixed(3);
  const hotSlider = slider("Teacher temperature", {
    min: 0.01,
    max: 0.1,
    step: 0.005,
    value: 0.04,
    say: three,
    oninput: (value) => {
      hot = value;
      later();
    },
  });
  const softSlider = slider("Student temperature", {
    min: 0.05,
    max: 0.3,
    step: 0.01,
    value: 0.1,
    say: three,
    oninput: (value) => {
      soft = value;
      later();
    },
  });
  const note = el("p", { class: "inside-note" });
  const key = el(
    "p",
    { class: "inside-note inside-key" },
    el("i", { class: "teacher" }),
    el("span", { text: "teacher's target" }),
    el("i", { class: "student" }),
    el("span", { text: "student's answer" }),
  );

  const matrix = el("table", {
    class: "inside-between",
    role: "grid",
    "aria-label": "Cross-entropy of every student crop against every teacher view",
  });
  const matrixLegend = el("div"),
    story = el("p", { class: "inside-details", "aria-live": "polite" });
  const head = el("table", { class: "inside-table inside-widths" });
  const crops = distributionView({ examples: EXAMPLES, paint: paintCropExample }),
    cropsTitle = el("h2"),
    cropFacts = el("p", { class: "inside-details" });

  const picture = new PatchPicture({
    from: selectedPatch,
    label:
      "Global crop 1; masked patches show their loss. Arrows move from patch to patch, Escape lets go.",
    onhover: (row, col) => {
      under = [row, col];
      tellPatch();
    },
    onleave: () => {
      under = null;
      tellPatch();
    },
    onpin: (row, col) =>
      pinPatch(patch && patch[0] === row && patch[1] === col ? null : [row, col]),
    say: (row, col) => {
      const m = numberOf(row, col);
      return m < 0
        ? `row ${row}, column ${col}\nvisible: nothing is asked`
        : `row ${row}, column ${col}\n${nats(scene.ibot[m])}`;
    },
  });
  picture.key = keyOnPicture;
  const mapLegend = el("div"),
    patchStory = el("p", { class: "inside-details", "aria-live": "polite" });
  const patches = distributionView({ examples: EXAMPLES, paint: paintPatchExample }),
    patchesTitle = el("h2"),
    patchFacts = el("p", { class: "inside-details" });

  const near = el("table", { class: "inside-table inside-near" }),
    nearStory = el("p", { class: "inside-details" });
  const sum = el("table", { class: "inside-table inside-sum" }),
    sumStory = el("p", { class: "inside-details" });
  const take = exportBar("losses", {
    png: () => flatten(picture.picture, picture.overlay, 0.85),
    npz: () => address("npz"),
    csv: table,
    python,
  });
  root.append(
    el(
      "div",
      { class: "inside-controls" },
      el("label", { class: "inside-field" }, el("span", { text: "Heads" }), pairs),
      byTargets.node,
      hotSlider.node,
    ),
    note,
    el(
      "div",
      { class: "inside-columns losses" },
      el(
        "div",
        { class: "inside-left" },
        el("h2", { text: "Between crops: the DINO loss" }),
        el("div", { class: "inside-scroll" }, matrix),
        matrixLegend,
        story,
        head,
      ),
      el("div", { class: "inside-left wide" }, cropsTitle, key, crops.node, cropFacts),
    ),
    el(
      "div",
      { class: "inside-columns losses" },
      el(
        "div",
        { class: "inside-left" },
        el("h2", { text: "Masked patches of global crop 1: the iBOT loss" }),
        picture.node,
        mapLegend,
        patchStory,
      ),
      el(
        "div",
        { class: "inside-left wide" },
        patchesTitle,
        key.cloneNode(true),
        patches.node,
        patchFacts,
      ),
    ),
    el(
      "div",
      { class: "inside-columns losses" },
      el("div", { class: "inside-left" }, el("h2", { text: "Neighbours: KoLeo" }), near, nearStory),
      el("div", { class: "inside-left wide" }, el("h2", { text: "The sum" }), sum, sumStory),
    ),
    el(
      "details",
      { class: "inside-more" },
      el("summary", { text: "More: the student's temperature" }),
      softSlider.node,
    ),
    take.node,
  );

  // ---------- fetching

  const stepOf = () => (steps[pair] ? { step: steps[pair] } : {});
  function address(form = null) {
    const query = { seed: view.seed, pair, ...stepOf() };
    if (targets) query.targets = targets;
    if (hot !== null) query.temperature = hot;
    if (soft !== null) query.student_temperature = soft;
    return sceneUrl(view.key, "losses", form ? { ...query, form } : query);
  }

  let timer = null;
  const later = () => {
    clearTimeout(timer);
    timer = setTimeout(again, 60);
  };
  const again = () => {
    if (view) return run(root, draw);
  };

  async function draw() {
    const url = address(),
      next = await fetchScene(url);
    if (url !== address()) return; // overtaken
    scene = next;
    const facts = scene.facts,
      { recipe } = facts;
    if (targets === "centering") targets = null;
    if (hot !== null && Math.abs(hot - recipe.temperature) < 1e-6) hot = null;
    if (soft !== null && Math.abs(soft - recipe.student_temperature) < 1e-6) soft = null;
    keep("targets", targets);
    keep("hot", hot);
    keep("soft", soft);
    byTargets.set(facts.targets_by);
    hotSlider.set(facts.temperature);
    softSlider.set(facts.student_temperature);
    if (!pairs.options.length) pairs.append(el("option", { value: pair, text: facts.title }));
    pairs.value = pair;
    sheet = new URL(sceneUrl(view.key, `losses/company/${pair}.jpg`, stepOf()), document.baseURI)
      .href;
    note.textContent = aboutPair();
    if (!pinned || !isPair(...pinned)) pinned = [GLOBALS < facts.crops.length ? GLOBALS : 1, 0];
    if (patch && !inGrid(...patch)) patch = null;
    drawMatrix();
    drawHead();
    drawMap();
    drawNeighbours();
    drawSum();
    show(null);
    tellPatch();
    tellLesson();
    take.refresh();
  }

  async function listPairs() {
    try {
      const { pairs: found } = await requestJson("losses/pairs");
      steps = Object.fromEntries(found.map(({ name, step }) => [name, step]));
      pairs.replaceChildren(
        ...found.map(({ name, title }) => el("option", { value: name, text: title })),
      );
      const gone = !(pair in steps); // a run may have been deleted
      if (gone) {
        pair = FIRST;
        keep("pair", null);
      }
      pairs.value = pair;
      if (gone && scene) await again();
    } catch {
      /* the one that is shown stays the only choice */
    }
  }

  bus.on("screen", ({ name: opened }) => {
    if (opened !== "losses") return;
    if (scene) listPairs();
  }); // a run may have gone on

  // ---------- words

  const signed = (value, digits = 2) => value.toFixed(digits).replace("-", "−");
  const nats = (value) => `${signed(value)} nats`;
  const nameOf = (crop) => scene.facts.crops[crop].name;
  const counts = (s, t) => s !== t;
  const isPair = (s, t) => s < scene.facts.crops.length && t < GLOBALS && counts(s, t);
  const lnK = (head) => Math.log(scene.facts.prototypes[head]);

  function aboutPair() {
    const { recipe, own_crops: own, prototypes, title } = scene.facts;
    const heads =
      pair === FIRST && view.model !== "preview_vits14"
        ? " Official heads were never published, so these stand in for those of the model on the left."
        : pair === FIRST
          ? " Official heads were never published; these were trained for the preview backbone."
          : "";
    return (
      `${title}: ${prototypes[0]} prototypes for class tokens, ${prototypes[1]} for patches (officially 65 536 or 131 072).${heads} Trained with ${TARGETS.find(([name]) => name === recipe.targets)[1]} and a teacher temperature of ${recipe.temperature}. ` +
      (own
        ? "The crops are of the sizes that it was trained on."
        : "The crops and the mask are those that the first two screens begin with.")
    );
  }

  // ---------- between crops

  function drawMatrix() {
    const { crops: all, colours } = scene.facts,
      S = all.length;
    const counted = [...scene.dino].filter((_, i) => counts(Math.floor(i / GLOBALS), i % GLOBALS)),
      low = Math.min(...counted),
      high = Math.max(...counted);
    const face = (crop, text) => {
      const canvas = el("canvas", {
        class: "smooth",
        style: `border-color: rgb(${colours[crop]})`,
      });
      paintRgb(canvas, scene[`pixels.${crop}`], all[crop].size, all[crop].size);
      return el(
        "span",
        { class: "face", title: text },
        canvas,
        el("small", {
          text: all[crop].kind === "global" ? `G${crop + 1}` : `L${crop - GLOBALS + 1}`,
        }),
      );
    };
    const table = colourTable("magma");
    const cell = (s, t) => {
      if (!counts(s, t))
        return el("td", { class: "same", title: "a crop is not compared with itself" });
      const value = scene.dino[s * GLOBALS + t],
        at = 3 * Math.round((255 * (value - low)) / Math.max(high - low, 1e-9)),
        rgb = [table[at], table[at + 1], table[at + 2]];
      return el(
        "td",
        {},
        el("button", {
          type: "button",
          "data-pair": `${s}.${t}`,
          style: `background: rgb(${rgb}); color: ${inkOn(rgb)}`,
          text: value.toFixed(2),
          "aria-label": `student ${nameOf(s)}, teacher ${nameOf(t)}: ${nats(value)}`,
          onpointerenter: () => show([s, t]),
          onpointerleave: () => show(null),
          onfocus: () => show([s, t]),
          onblur: () => show(null),
          onclick: () => pin([s, t]),
          onkeydown: keyOnMatrix,
        }),
      );
    };
    matrix.replaceChildren(
      el("caption", {
        class: "inside-note",
        text: "Columns: the student's crops. Rows: the teacher's views.",
      }),
      el(
        "thead",
        {},
        el(
          "tr",
          {},
          el("td"),
          ...all.map((_, s) => el("th", { scope: "col" }, face(s, nameOf(s)))),
        ),
      ),
      el(
        "tbody",
        {},
        ...Array.from({ length: GLOBALS }, (_, t) =>
          el(
            "tr",
            {},
            el("th", { scope: "row" }, face(t, nameOf(t))),
            ...all.map((_, s) => cell(s, t)),
          ),
        ),
      ),
    );
    matrix.style.setProperty("--crops", S);
    matrixLegend.replaceChildren(
      legend(
        "magma",
        `${low.toFixed(2)}`,
        `${high.toFixed(2)} nats; uniform: ln K = ${lnK(0).toFixed(2)}`,
      ),
    );
  }

  /* The way of a token through the head, with its widths. */
  function drawHead() {
    const { head: widths, shared, temperature, student_temperature: softness } = scene.facts,
      hidden = widths.slice(1, -2),
      K = widths.at(-1);
    const line = (name, width, what) =>
      el(
        "tr",
        {},
        el("th", { scope: "row", text: name }),
        el("td", { text: width }),
        el("td", { class: "help", text: what }),
      );
    head.replaceChildren(
      el("caption", {
        text: shared
          ? "The head, for class tokens and patches alike"
          : "The DINO head; that for patches is built alike",
      }),
      el(
        "tbody",
        {},
        line("token", widths[0], "the class token that leaves the backbone"),
        ...hidden.map((width) => line("linear, GELU", width, "")),
        line("linear", widths.at(-2), ""),
        line("on the sphere", widths.at(-2), "divided by its length"),
        line("scores", K, "cosine with each prototype, times its length"),
        line("softmax", K, `at ${softness} for the student, ${temperature} for the teacher`),
      ),
    );
  }

  function keyOnMatrix(event) {
    const [s, t] = event.target.dataset.pair.split(".").map(Number),
      S = scene.facts.crops.length;
    const move = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[
      event.key
    ];
    if (!move) return;
    event.preventDefault();
    let next = [s, t];
    for (let i = 0; i < S; i++) {
      next = [
        Math.min(Math.max(next[0] + move[0], 0), S - 1),
        Math.min(Math.max(next[1] + move[1], 0), GLOBALS - 1),
      ];
      if (counts(...next)) break;
    }
    matrix.querySelector(`[data-pair="${next.join(".")}"]`)?.focus();
  }

  function pin(next) {
    pinned = next;
    keep("between", next.join("."));
    show(next);
  }

  function show(next) {
    shown = next;
    const [s, t] = shown ?? pinned,
      C = scene.columns.length;
    for (const button of matrix.querySelectorAll("button")) {
      const own = button.dataset.pair === pinned.join(".");
      button.setAttribute("aria-pressed", String(own));
      button.tabIndex = own ? 0 : -1; // one stop for the Tab key; arrows go on
      button.classList.toggle("here", button.dataset.pair === `${s}.${t}`);
    }
    const teacher = scene.teacher.subarray(t * C, (t + 1) * C),
      student = scene.student.subarray(s * C, (s + 1) * C);
    cropsTitle.textContent = `What they say: teacher of ${nameOf(t)}, student of ${nameOf(s)}`;
    crops.draw(scene.columns, teacher, student, scene.facts.prototypes[0]);
    const value = scene.dino[s * GLOBALS + t],
      own = scene.teacher_entropy[t],
      a = scene.columns[best(teacher)],
      b = scene.columns[best(student)];
    story.textContent = `Student ${nameOf(s)} against teacher ${nameOf(t)}: ${nats(value)}, ${value > lnK(0) ? "worse than a uniform answer would be" : `${nats(lnK(0) - value)} better than a uniform answer`}. ${a === b ? `Both find prototype #${a} the likeliest.` : `The teacher finds #${a} the likeliest, the student #${b}.`}`;
    cropFacts.textContent = `Of these ${nats(value)}, ${nats(own)} are the target's own entropy, which no student gets below; ${nats(value - own)} are the distance to it (Kullback-Leibler). The student's own entropy is ${nats(scene.student_entropy[s])}.`;
    publish();
  }

  // ---------- masked patches

  const inGrid = (row, col) => row < scene.facts.grid[0] && col < scene.facts.grid[1];
  /* The place of a masked patch among the masked ones, -1 for a visible one. */
  function numberOf(row, col) {
    const [, w] = scene.facts.grid,
      at = row * w + col;
    return scene.mask[at] ? scene.mask.subarray(0, at).reduce((sum, one) => sum + one, 0) : -1;
  }

  const easel = document.createElement("canvas");
  function drawMap() {
    const [h, w] = scene.facts.grid,
      size = scene.facts.crops[0].size,
      overlay = picture.overlay,
      low = Math.min(...scene.ibot),
      high = Math.max(...scene.ibot);
    paintRgb(easel, scene["pixels.0"], size, size);
    picture.show(easel.toDataURL(), [h, w], [w, h]);
    overlay.width = w;
    overlay.height = h;
    const pen = overlay.getContext("2d"),
      map = pen.createImageData(w, h),
      table = colourTable("magma");
    let m = 0;
    scene.mask.forEach((hidden, at) => {
      if (!hidden) return;
      const level = 3 * Math.round((255 * (scene.ibot[m++] - low)) / Math.max(high - low, 1e-9));
      map.data.set([table[level], table[level + 1], table[level + 2], 217], 4 * at);
    });
    pen.putImageData(map, 0, 0);
    mapLegend.replaceChildren(
      legend(
        "magma",
        low.toFixed(2),
        `${high.toFixed(2)} nats; uniform: ln K = ${lnK(1).toFixed(2)}`,
      ),
    );
  }

  function pinPatch(next) {
    patch = next;
    keep("patch", next?.join(".") ?? null);
    tellPatch();
  }

  function keyOnPicture(event) {
    const move = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[
        event.key
      ],
      [h, w] = scene?.facts.grid ?? [1, 1];
    if (event.key === "Escape") pinPatch(null);
    else if (move) {
      const [row, col] = patch ?? worst();
      pinPatch([
        Math.min(Math.max(row + move[0], 0), h - 1),
        Math.min(Math.max(col + move[1], 0), w - 1),
      ]);
    } else return;
    event.preventDefault();
  }

  /* The masked patch that costs most: shown until one is chosen. */
  function worst() {
    const [, w] = scene.facts.grid,
      m = best(scene.ibot),
      places = [...scene.mask.keys()].filter((at) => scene.mask[at]);
    return [Math.floor(places[m] / w), places[m] % w];
  }

  function tellPatch() {
    if (!scene) return;
    const at = under ?? patch ?? worst(),
      visible = numberOf(...at) < 0;
    const [row, col] = !visible ? at : patch && numberOf(...patch) >= 0 ? patch : worst(),
      m = numberOf(row, col),
      C = scene.patch_columns.length;
    picture.mark(...at, !under && patch !== null);
    const part = (values, i) => values.subarray(i * C, (i + 1) * C),
      M = scene.ibot.length;
    let same = 0;
    for (let i = 0; i < M; i++)
      same += best(part(scene.teacher_patches, i)) === best(part(scene.student_patches, i)) ? 1 : 0;
    const teacher = part(scene.teacher_patches, m),
      student = part(scene.student_patches, m),
      a = scene.patch_columns[best(teacher)],
      b = scene.patch_columns[best(student)];
    patchesTitle.textContent = `What they say of row ${row}, column ${col}`;
    patches.draw(scene.patch_columns, teacher, student, scene.facts.prototypes[1]);
    patchStory.textContent =
      (visible
        ? "The student sees this patch: nothing is asked. "
        : `${nats(scene.ibot[m])}. ${a === b ? `Both find #${a} the likeliest.` : `The teacher, who sees the patch, finds #${a} the likeliest; the student, who does not, #${b}.`} `) +
      `The student's first guess is the teacher's for ${same} of ${M} masked patches.`;
    patchFacts.textContent = `The target's own entropy is ${nats(scene.patch_entropy[m])}; ${nats(scene.ibot[m] - scene.patch_entropy[m])} are the distance to it. Beside each prototype: the patches of other pictures to which the teacher gives it most.`;
    root.insidePatch = { at, row, col, m, same, teacher: a, student: b };
    publish();
  }

  // ---------- examples: places on the sheet of the company's crops

  function paintCropExample(node, place, example) {
    const at = (place * scene.shapes.examples[1] + example) * 2,
      [who, crop] = scene.examples.subarray(at, at + 2);
    const size = scene.facts.crops[0].size;
    placeSheet(node, who, crop, 0, 0, size);
    node.title = `${titleOf(who)}, global ${crop + 1}`;
  }

  function paintPatchExample(node, place, example) {
    const at = (place * scene.shapes.patch_examples[1] + example) * 2,
      [who, where] = scene.patch_examples.subarray(at, at + 2);
    const [h, w] = scene.facts.grid,
      size = scene.facts.crops[0].size,
      side = size / h,
      crop = Math.floor(where / (h * w)),
      p = where % (h * w);
    const corner = (i, n) => Math.min(Math.max(i - 1, 0), Math.max(n - 3, 0)) * side;
    placeSheet(
      node,
      who,
      crop,
      corner(p % w, w),
      corner(Math.floor(p / w), h),
      Math.min(3 * side, size),
    );
    node.title = `${titleOf(who)}, global ${crop + 1}, row ${Math.floor(p / w)}, column ${p % w}, and what is around it`;
  }

  const titleOf = (column) =>
    scene.facts.company.find((one) => one.column === column)?.title ?? "a sample";

  /* A square of `extent` px of a companion's crop fills the node, whose own size is in its style. */
  function placeSheet(node, who, crop, x, y, extent) {
    const size = scene.facts.crops[0].size,
      zoom = EXAMPLE / extent,
      columns = scene.facts.columns_of_sheet;
    node.style.backgroundImage = `url("${sheet}")`;
    node.style.backgroundSize = `${columns * size * zoom}px ${2 * size * zoom}px`;
    node.style.backgroundPosition = `${-(who * size + x) * zoom}px ${-(crop * size + y) * zoom}px`;
  }

  // ---------- neighbours and the sum

  function drawNeighbours() {
    const { company, koleo, weights } = scene.facts,
      closest = [0, 1].map((v) => Math.min(...company.map(({ distances }) => distances[v])));
    near.replaceChildren(
      el(
        "thead",
        {},
        el(
          "tr",
          {},
          el("td"),
          el("th", { scope: "col", text: "distance to" }),
          el("th", { scope: "col", text: "global 1" }),
          el("th", { scope: "col", text: "global 2" }),
        ),
      ),
      el(
        "tbody",
        {},
        ...company.map(({ file, title, distances }) =>
          el(
            "tr",
            {},
            el(
              "td",
              { class: "thumb" },
              el("img", { src: `inside/samples/thumbs/${file}`, alt: "", width: 34, height: 34 }),
            ),
            el("th", { scope: "row", text: title }),
            ...distances.map((value, v) =>
              el("td", { class: value === closest[v] ? "closest" : null, text: value.toFixed(3) }),
            ),
          ),
        ),
      ),
    );
    nearStory.textContent =
      `Each global crop looks for the nearest class token among the other pictures of the batch: −ln ${closest[0].toFixed(3)} = ${signed(koleo[0])} and −ln ${closest[1].toFixed(3)} = ${signed(koleo[1])}. The closer, the more it costs; two crops of one picture are never compared.` +
      (weights.koleo
        ? ""
        : " This pair was trained without KoLeo: its weight is 0 (officially 0.1).");
  }

  const LINES = [
    ["dino_global", "DINO, global crops"],
    ["dino_local", "DINO, local crops"],
    ["ibot", "iBOT"],
    ["koleo", "KoLeo"],
  ];
  function drawSum() {
    const { terms, uniform, crops: all } = scene.facts,
      total = LINES.reduce((sum, [name]) => sum + terms[name], 0),
      flat = Object.values(uniform).reduce((a, b) => a + b, 0);
    const top = Math.max(...LINES.flatMap(([name]) => [terms[name], uniform[name] ?? 0]), 1e-9),
      L = all.length - GLOBALS,
      pairsIn = 2 + 2 * L;
    const how = {
      dino_global: `2 of ${pairsIn} pairs, divided by ${pairsIn}`,
      dino_local: `${2 * L} of ${pairsIn} pairs, divided by ${pairsIn}`,
      ibot: "mean over the masked patches, one of two crops",
      koleo: "sum over both views",
    };
    const line = ([name, title]) =>
      el(
        "tr",
        {},
        el("th", { scope: "row" }, title, el("small", { text: how[name] })),
        el(
          "td",
          { class: "bar" },
          el("i", { style: `width:${(100 * Math.abs(terms[name])) / top}%` }),
          uniform[name] === undefined
            ? null
            : el("u", { style: `left:${(100 * uniform[name]) / top}%`, title: "uniform output" }),
        ),
        el("td", { text: signed(terms[name], 3) }),
        el("td", { text: uniform[name] === undefined ? "–" : uniform[name].toFixed(3) }),
      );
    sum.replaceChildren(
      el(
        "thead",
        {},
        el(
          "tr",
          {},
          el("td"),
          el("td"),
          el("th", { scope: "col", text: "here" }),
          el("th", { scope: "col", text: "uniform" }),
        ),
      ),
      el(
        "tbody",
        {},
        ...LINES.map(line),
        el(
          "tr",
          { class: "total" },
          el("th", { scope: "row", text: "Loss" }),
          el("td"),
          el("td", { text: total.toFixed(3) }),
          el("td", { text: flat.toFixed(3) }),
        ),
      ),
    );
    sumStory.textContent =
      "Weights are included. “Uniform” is what a student would pay that gives every prototype the same probability. The official log halves iBOT and KoLeo, so its total is not this sum.";
  }

  // ---------- the lesson's numbers, and what tests read

  function tellLesson() {
    const {
        terms,
        temperature,
        student_temperature: softness,
        prototypes,
        koleo,
        crops: all,
        company,
      } = scene.facts,
      total = LINES.reduce((sum, [name]) => sum + terms[name], 0),
      L = all.length - GLOBALS;
    fillLesson("losses", {
      k: prototypes[0],
      lnk: lnK(0).toFixed(2),
      hot: temperature,
      soft: softness,
      by: scene.facts.targets_by === "centering" ? "centring" : "Sinkhorn-Knopp",
      batch: company.length + 1,
      pairs: 2 + 2 * L,
      crops: all.length,
      m: scene.ibot.length,
      dino: (terms.dino_global + terms.dino_local).toFixed(3),
      ibot: scene.facts.ibot_mean.toFixed(3),
      koleo: koleo.map((value) => signed(value)).join(" and "),
      total: total.toFixed(3),
      entropy: nats(scene.teacher_entropy[0]),
    });
  }

  function publish() {
    root.inside = {
      key: view.key,
      seed: view.seed,
      pair,
      targets: scene.facts.targets_by,
      temperature: scene.facts.temperature,
      between: shown ?? pinned,
      terms: scene.facts.terms,
      dino: [...scene.dino],
      masked: scene.ibot.length,
      patch: root.insidePatch ?? null,
      story: story.textContent,
    };
  }

  // ---------- taking along

  function table() {
    const rows = ["kind,student,teacher,cross_entropy"];
    scene.facts.crops.forEach(({ name }, s) => {
      for (let t = 0; t < GLOBALS; t++)
        rows.push(
          `${counts(s, t) ? "dino" : "dino (not counted)"},${name},${nameOf(t)},${scene.dino[s * GLOBALS + t]}`,
        );
    });
    const [, w] = scene.facts.grid,
      places = [...scene.mask.keys()].filter((at) => scene.mask[at]);
    places.forEach((at, m) =>
      rows.push(
        `ibot,patch ${Math.floor(at / w)} ${at % w},patch ${Math.floor(at / w)} ${at % w},${scene.ibot[m]}`,
      ),
    );
    return rows.join("\n") + "\n";
  }

  function python() {
    const {
        file,
        own_crops: own,
        company,
        targets_by: by,
        temperature,
        student_temperature: softness,
      } = scene.facts,
      name = view.sample ? `static/samples/${view.sample}` : "picture.jpg";
    return `from dataclasses import replace

from dino_core import open_picture
${own ? "" : "from dino_core.config import CropConfig\n"}from dino_core.step.loss_inspection import break_down, picture_logits, reference_batch
from dino_core.runs.setup import open_pair

pair, config, _ = open_pair("${file}")
crops = ${own ? "config.crops" : "CropConfig()"}
own = picture_logits(pair, config, open_picture("${name}"), ${view.seed}, crops=crops)
others = ${JSON.stringify(company.map((one) => one.file))}
reference = reference_batch(pair, config, [open_picture(f"static/samples/{name}") for name in others], crops)
loss = replace(config.loss, centering="${by}", student_temperature=${softness})
parts = break_down(own, reference, loss, ${temperature})
print(parts.terms)
print(parts.dino)  # [student crop, teacher view], in nats`;
  }

  return {
    lazy: true, // a pair is loaded and looks at the samples before it can answer
    async show(next) {
      view = next;
      if (pair !== FIRST) await listPairs();
      await draw();
      listPairs();
    },
  };
}
