/* Update: what changes from step to step, and how far the teacher is behind the student. */
import { selection } from "../../page/selection.js";
import { bus } from "../../page/bus.js";
import { run as runView, sentenceOf } from "../../page/errors.js";
import { exportBar } from "../../page/export.js";
import { fillLesson } from "../../page/lesson.js";
import { keep, kept } from "../../page/link.js";
import { fetchScene, requestJson } from "../../page/scenes.js";
import { slider as sliderOf } from "../../ui/controls.js";
import { el } from "../../ui/dom.js";
import { percent, short, spaced } from "../../ui/format.js";
import { curveChart, cursorGroup, nearest } from "../../charts/curves.js";

export function create(root) {
  const PRESETS = [
    ["official-short", "Official, short"],
    ["official-long", "Official, long"],
    ["tiny", "Tiny"],
    ["small", "Small"],
    ["continue", "Continue"],
    ["heads", "Heads only"],
  ];
  const PARTS = [
    ["learning_rate", "Learning rate", "of the last block"],
    ["last_layer_learning_rate", "Learning rate of the prototypes", "0 at first"],
    ["weight_decay", "Weight decay", ""],
    ["momentum", "Momentum of the teacher", "share it keeps of itself"],
    ["teacher_temperature", "Teacher temperature", "lower is sharper"],
  ];
  const known = (name) => PRESETS.some(([preset]) => preset === name);
  let preset = known(kept("schedule")) ? kept("schedule") : "official-short";
  let scene = null,
    at = 0,
    wanted = Number(kept("cursor")) || null,
    distance = null,
    run = null;

  // ---------- the parts of the screen

  const group = cursorGroup((step) => {
    if (scene && step !== null) stand(nearest(scene.steps, step), false);
  });
  const charts = PARTS.map(([, title, note]) => curveChart({ title, note, format: exact }, group));
  const presets = el(
    "select",
    {
      "aria-label": "Preset",
      onchange: () => {
        preset = presets.value;
        wanted = null;
        keep("schedule", preset === "official-short" ? null : preset);
        runView(root, draw);
      },
    },
    ...PRESETS.map(([name, title]) => el("option", { value: name, text: title })),
  );
  const words = el("p", { class: "inside-note" });
  const slider = sliderOf("Step", {
    min: 0,
    max: 1,
    say: (index) => (scene ? spaced(scene.steps[index] ?? 0) : ""),
    oninput: (index) => stand(index, true),
  });
  const story = el("p", { class: "inside-details", "aria-live": "polite" });
  const lag = el("div", { class: "inside-lag" }),
    lagWords = el("p", { class: "inside-note" });
  const take = exportBar("update", {
    png: () => group.sheet(),
    npz: () => `schedules/${preset}?form=npz`,
    csv: table,
    python,
  });
  root.append(
    el(
      "div",
      { class: "inside-controls" },
      el("label", { class: "inside-field" }, el("span", { text: "Preset" }), presets),
      slider.node,
    ),
    words,
    story,
    el("div", { class: "inside-curves three" }, ...charts.map(({ node }) => node)),
    take.node,
    el(
      "section",
      { class: "inside-teacher" },
      el("h2", { text: "How far the teacher is from the student" }),
      lagWords,
      lag,
    ),
  );
  slider.node.classList.add("wide");

  function exact(value) {
    if (value === null || value === undefined) return "–";
    return value === 0
      ? "0"
      : Math.abs(value) < 0.01
        ? value.toExponential(3).replace("e-", "e−")
        : value.toFixed(5);
  }
  const value = (name) => scene[name][at];

  // ---------- the curves

  async function draw() {
    const asked = preset,
      next = await fetchScene(`schedules/${preset}`);
    if (asked !== preset) return; // overtaken
    scene = next;
    presets.value = preset;
    words.textContent = `${scene.facts.words[0].toUpperCase()}${scene.facts.words.slice(1)}.`;
    const range = [0, scene.facts.total - 1],
      x = [...scene.steps];
    PARTS.forEach(([name], i) =>
      charts[i].draw([{ name: "at the cursor", look: "a", x, y: [...scene[name]] }], range),
    );
    slider.limit(scene.steps.length - 1);
    stand(wanted === null ? nearest(x, scene.facts.warmup || 0) : nearest(x, wanted), true);
  }

  /* The shared cursor: from the slider, or from pointing at a curve, which stays where it left. */
  function stand(index, move) {
    at = index;
    const step = scene.steps[at];
    slider.set(at);
    group.rest = step;
    if (move) {
      group.at = step;
      for (const chart of charts) chart.follow(step);
    }
    keep("cursor", step === scene.facts.warmup ? null : step);
    story.textContent = describe(step);
    root.inside = {
      preset,
      step,
      total: scene.facts.total,
      ...Object.fromEntries(PARTS.map(([name]) => [name, value(name)])),
      run: distance?.run ?? null,
      layers: distance?.layers.length ?? 0,
    };
    const memory = 1 - value("momentum");
    fillLesson("update", {
      step: spaced(step),
      total: spaced(scene.facts.total),
      rate: exact(value("learning_rate")),
      peak: exact(scene.facts.peak),
      batch: spaced(scene.facts.batch),
      base: scene.facts.config.base_learning_rate,
      momentum: value("momentum").toFixed(5),
      memory: memory > 1e-9 ? spaced(Math.round(1 / memory)) : "endlessly many",
      temperature: value("teacher_temperature").toFixed(4),
      decay: value("weight_decay").toFixed(4),
    });
    take.refresh();
  }

  function describe(step) {
    const { warmup, frozen, temperature_warmup: warm, total } = scene.facts,
      parts = [];
    parts.push(
      step < warmup
        ? `the learning rate climbs until step ${spaced(warmup)}`
        : "the learning rate falls along half a cosine",
    );
    parts.push(
      step < frozen
        ? `the prototypes stand still until step ${spaced(frozen)}`
        : "the prototypes move",
    );
    parts.push(
      step < warm
        ? `the teacher's temperature climbs until step ${spaced(warm)}`
        : "the teacher's temperature has reached its end",
    );
    const rest = 1 - value("momentum");
    parts.push(
      rest > 1e-9
        ? `a step moves the teacher ${percent(rest, rest < 0.001 ? 4 : 2)} of the way to the student`
        : "the teacher stands still",
    );
    return `Step ${spaced(step)} of ${spaced(total)}: ${parts.join("; ")}.`;
  }

  // ---------- the teacher's distance

  async function drawDistance() {
    distance = null;
    let found = null;
    try {
      run = selection.run ?? kept("run");
      if (!run)
        run =
          (await requestJson("runs")).runs.find((one) => one.kind === "pretraining" && one.step > 0)
            ?.name ?? null;
      if (run) {
        const details = await requestJson(`runs/${run}`);
        if (details.kind !== "pretraining")
          lagWords.textContent =
            "The open run is a fine-tuning: it has no teacher. Open a run without labels on the Training screen.";
        else if (!details.step)
          lagWords.textContent =
            "The open run has no checkpoint yet: the first milestone writes one.";
        else found = await requestJson(`runs/${run}/distance`);
      } else
        lagWords.textContent =
          "Nothing was trained here yet. Start a run on the Training screen: its newest checkpoint has both networks, and the distance of each layer is shown here.";
    } catch (error) {
      lagWords.textContent = sentenceOf(error);
    }
    if (found) distance = { run, ...found };
    lag.replaceChildren();
    if (!distance) return;
    // Class, mask and register tokens begin at almost 0: any move is a large share, so they do not set the scale.
    const top = Math.max(
      ...distance.layers
        .filter(({ name }) => !/token|register/.test(name))
        .map(({ relative }) => relative),
      1e-12,
    );
    lagWords.textContent = `Run ${run}, checkpoint after step ${spaced(distance.step)}. Length of the difference of all weights of a layer, as a share of the length of the student's. The tokens begin at almost nothing, so theirs is large early in a run.`;
    lag.replaceChildren(
      el(
        "table",
        { class: "inside-table" },
        el(
          "thead",
          {},
          el(
            "tr",
            {},
            ...["layer", "", "distance", "weights"].map((text) => el("th", { scope: "col", text })),
          ),
        ),
        el(
          "tbody",
          {},
          ...distance.layers.map(({ name, relative, parameters, student, difference }) =>
            el(
              "tr",
              { title: `student ${short(student)}, difference ${short(difference)}` },
              el("th", { scope: "row", text: name }),
              el(
                "td",
                { class: "bar" },
                el("i", {
                  class: relative > top ? "beyond" : null,
                  style: `width:${Math.min((100 * relative) / top, 100)}%`,
                }),
              ),
              el("td", { text: percent(relative, relative < 0.001 ? 4 : 2) }),
              el("td", { text: spaced(parameters) }),
            ),
          ),
        ),
      ),
    );
    if (root.inside) Object.assign(root.inside, { run, layers: distance.layers.length });
  }
  bus.on("screen", ({ name: opened }) => {
    if (opened !== "update") return;
    drawDistance();
  });

  // ---------- taking along

  function table() {
    return (
      [
        "step,learning_rate,last_layer_learning_rate,weight_decay,momentum,teacher_temperature",
        ...Array.from(scene.steps, (step, i) =>
          [step, ...PARTS.map(([name]) => scene[name][i])].join(","),
        ),
      ].join("\n") + "\n"
    );
  }

  function python() {
    return `from dino_core.schedules import values_at
from dino_core.runs.presets import find_preset

config = find_preset("${preset}").train.schedule
print(config.steps)
print(values_at(${scene?.steps[at] ?? 0}, config))`;
  }

  return {
    async show() {
      await draw();
      await drawDistance();
    },
  };
}
