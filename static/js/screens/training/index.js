/* Training: start a run, watch it, steer it. The run is a process of its own on the server; this
   page only asks for what is new about once a second, and only while it is looked at. */
import { select, selection } from "../../page/selection.js";
import { isOpen } from "../../page/screens.js";
import { bus } from "../../page/bus.js";
import { requestJson } from "../../page/scenes.js";
import { run, sentenceOf } from "../../page/errors.js";
import { exportBar } from "../../page/export.js";
import { fillLesson } from "../../page/lesson.js";
import { keep, kept } from "../../page/link.js";
import { el } from "../../ui/dom.js";
import { short } from "../../ui/format.js";
import { curveChart, cursorGroup } from "../../charts/curves.js";
import { startForm } from "./form.js";
import { testReport } from "./report.js";
import { timeLine } from "./time.js";

export function create(root) {
  const TERMS = [
    ["dino_local_crops_loss", "DINO, local crops"],
    ["dino_global_crops_loss", "DINO, global crops"],
    ["ibot_loss", "iBOT"],
    ["koleo_loss", "KoLeo"],
  ];
  const EVERY = 1000,
    IDLE = 5000; // ms between two questions: about a run that is alive, and whether somebody resumed one
  const STATES = {
    waiting: "waiting",
    starting: "starting",
    running: "running",
    paused: "paused",
    stopped: "stopped",
    finished: "finished",
    failed: "failed",
  };
  const WISHES = { pause: "Pause", resume: "Resume", stop: "Stop", delete: "Delete" };
  let all = [],
    card = null,
    lines = [],
    next = 0,
    mark = "",
    timer = null,
    asking = false,
    epoch = 0,
    limits = [0, 1],
    looked = false;

  // ---------- the parts of the screen

  const form = startForm((started) => {
    openIt(started.name);
  });
  const list = el("div", { class: "inside-runs" }),
    group = cursorGroup();
  const title = el("h2"),
    badge = el("span", { class: "inside-state" }),
    words = el("p", { class: "inside-details", "aria-live": "polite" }),
    verdict = el("p", { class: "inside-verdict" });
  const bar = el("progress", { max: 1, value: 0, "aria-label": "Progress" }),
    progress = el("p", { class: "inside-note inside-progress" });
  const buttons = el("div", { class: "inside-controls" }),
    problem = el("p", { class: "inside-problem", role: "alert", hidden: true });
  const empty = el("p", {
    class: "inside-note",
    text: "No run is open. Start one: it goes on when this page is closed, and is found again here.",
  });
  const charts = {
    ...Object.fromEntries(TERMS.map(([name, text]) => [name, curveChart({ title: text }, group)])),
    entropy: curveChart(
      { title: "Entropy of the teacher", note: "share of ln K", floor: 0, ceiling: 1.02 },
      group,
    ),
    gradient: curveChart({ title: "Gradient norm", note: "before clipping", floor: 0 }, group),
    knn: curveChart({ title: "k-NN accuracy", note: "%", floor: 0, ceiling: 100 }, group),
    matching: curveChart(
      { title: "Patches found again", note: "%", floor: 0, ceiling: 100 },
      group,
    ),
    loss: curveChart({ title: "Cross-entropy", axis: "epoch" }, group),
    accuracy: curveChart(
      {
        title: "Validation pictures right",
        note: "%",
        axis: "epoch",
        format: (value) => (value === null || value === undefined ? "–" : `${value.toFixed(1)} %`),
      },
      group,
    ),
  };
  const curves = el(
    "div",
    { class: "inside-curves" },
    ...Object.values(charts).map(({ node }) => node),
  );
  const time = timeLine(() => publish()),
    test = testReport();
  const command = el("pre", {
    class: "inside-code",
    tabindex: "0",
    "aria-label": "The command that repeats this run",
  });
  const repeat = el(
    "details",
    { class: "inside-more" },
    el("summary", { text: "The command that repeats this run" }),
    command,
  );
  const weights = el("a", {
    class: "inside-button",
    hidden: true,
    text: "Weights",
    title: "What came out, as safetensors",
  });
  const take = exportBar("training", { png: () => group.sheet(), csv: table, python });
  take.node.firstChild.prepend(weights);
  const open = el(
    "div",
    { class: "inside-left inside-open", hidden: true },
    el("div", { class: "inside-run-title" }, title, badge),
    words,
    el("div", { class: "inside-run-progress" }, bar, progress),
    buttons,
    problem,
    verdict,
    curves,
  );
  const below = el(
    "div",
    { class: "inside-below", hidden: true },
    test.node,
    time.node,
    take.node,
    repeat,
  );
  root.append(
    el(
      "div",
      { class: "inside-columns training" },
      el(
        "div",
        { class: "inside-left" },
        form.node,
        el("section", {}, el("h2", { text: "Runs on this server" }), list),
      ),
      el("div", { class: "inside-left" }, empty, open),
    ),
    below,
  );

  // ---------- which run is open

  function openIt(name) {
    if (card?.name !== name) {
      lines = [];
      next = 0;
      mark = "";
      card = null;
      group.leave();
    }
    select({ run: name });
    epoch += 1;
    keep("run", name);
    problem.hidden = true;
    return refresh();
  }

  /* The list, and then the open run, until nothing of it is alive any more. */
  async function refresh() {
    const answer = await requestJson("runs");
    all = answer.runs;
    form.offer(answer);
    if (!selection.run && !looked) {
      // a visitor who comes back finds the run that goes on, or the last one
      const own = all.find(({ mine, alive }) => mine && alive) ?? all.find(({ mine }) => mine);
      if (own) {
        select({ run: own.name });
        keep("run", own.name);
      }
    }
    looked = true;
    drawList();
    if (selection.run && !all.some(({ name }) => name === selection.run)) {
      select({ run: null });
      card = null;
      keep("run", null);
      say("That run is no longer on this server.");
    }
    if (selection.run) await ask();
    else draw();
    again();
  }

  function say(text) {
    problem.hidden = !text;
    problem.textContent = text ?? "";
    if (text && open.hidden) {
      empty.textContent = text;
    }
  }

  /* What is new about the open run. Overlapping questions are not asked. */
  async function ask() {
    if (asking) return;
    asking = true;
    const mine = epoch,
      name = selection.run;
    try {
      let more = true;
      while (more) {
        const answer = await requestJson(`runs/${name}/metrics?from=${next}&mark=${mark}`);
        if (mine !== epoch) {
          asking = false;
          return ask();
        } // another run was opened meanwhile
        if (answer.anew) lines = [];
        lines.push(...answer.lines);
        ({ next, mark, more } = answer);
        card = answer.run;
      }
      say(null);
    } finally {
      asking = false;
    }
    const at = all.findIndex(({ name: other }) => other === card.name);
    if (at >= 0) {
      all[at] = { ...all[at], ...card };
      drawList();
    }
    draw();
  }

  /* One question a second while a run is alive, a few a minute otherwise, for as long as this screen is looked at. */
  function again() {
    clearTimeout(timer);
    const alive = card?.alive || all.some((one) => one.alive);
    timer = setTimeout(
      async () => {
        if (!isOpen("training")) return;
        try {
          await follow();
        } catch (error) {
          say(
            error instanceof TypeError
              ? "The server does not answer. The run goes on without it."
              : sentenceOf(error),
          );
        }
        again();
      },
      alive ? EVERY : IDLE,
    );
  }

  async function follow() {
    const was = card?.state;
    if (card?.alive) await ask();
    if (card?.alive && card.state === was && !card.place && Math.random() > 0.2) return;
    all = (await requestJson("runs")).runs;
    drawList();
    const now = all.find(({ name }) => name === card?.name);
    if (now && now.state !== card.state) await ask(); // its owner, or another page, resumed it
  }
  bus.on("screen", ({ name: opened }) => {
    if (opened !== "training") return;
    run(root, refresh);
  });
  document.addEventListener("visibilitychange", () => {
    if (isOpen("training")) again();
  });

  /* Only a second click deletes; what a run has learnt is nowhere else. */
  function press(button, wish) {
    if (wish === "delete" && !button.dataset.sure) {
      button.dataset.sure = "yes";
      button.textContent = "Really delete?";
      setTimeout(() => {
        delete button.dataset.sure;
        button.textContent = WISHES.delete;
      }, 4000);
    } else steer(wish);
  }

  async function steer(wish) {
    [...buttons.children].forEach((button) => {
      button.disabled = true;
    });
    try {
      const answer = await requestJson(`runs/${card.name}/steer?wish=${wish}`, { method: "POST" });
      if (answer.gone) {
        select({ run: null });
        card = null;
        keep("run", null);
      } else if (answer.state === card.state)
        words.textContent = `Asked to ${wish}: after the step it is in.`;
      await refresh();
    } catch (error) {
      say(sentenceOf(error));
      drawButtons(true);
    }
  }

  // ---------- drawing

  const when = (seconds) =>
    new Date(1000 * seconds).toLocaleString([], { dateStyle: "short", timeStyle: "short" });
  const span = (seconds) =>
    seconds >= 5400
      ? `${(seconds / 3600).toFixed(1)} h`
      : seconds >= 90
        ? `${Math.round(seconds / 60)} min`
        : `${Math.round(seconds)} s`;

  function drawList() {
    const text =
      JSON.stringify(
        all.map(({ name, state, place, step, steps, mine }) => [
          name,
          state,
          place,
          step,
          steps,
          mine,
        ]),
      ) + selection.run;
    if (list.dataset.text === text) return;
    list.dataset.text = text;
    const focused = document.activeElement?.dataset?.run;
    list.replaceChildren(
      ...(all.length
        ? all.slice(0, 40).map((one) =>
            el(
              "button",
              {
                type: "button",
                "data-run": one.name,
                "aria-pressed": String(one.name === selection.run),
                onclick: () => run(root, () => openIt(one.name)),
              },
              el("b", { text: one.title }),
              el("i", {
                class: `inside-state ${one.state}`,
                text: one.place ? `waits, number ${one.place}` : STATES[one.state],
              }),
              el("span", {
                text: `${one.mine ? "yours" : "another visitor's"}, ${when(one.asked ?? one.updated)}`,
              }),
              el("span", { text: one.steps ? `${one.step} of ${one.steps}` : "" }),
            ),
          )
        : [el("p", { class: "inside-note", text: "None yet." })]),
    );
    if (focused) list.querySelector(`[data-run="${focused}"]`)?.focus();
  }

  function draw() {
    open.hidden = below.hidden = !card;
    empty.hidden = Boolean(card);
    if (card) {
      title.textContent = card.title;
      badge.className = `inside-state ${card.state}`;
      badge.textContent = STATES[card.state];
      words.textContent = card.words;
      drawProgress();
      drawButtons();
      verdict.hidden = !card.verdict || card.words.includes(card.verdict.words); // a finished run says it itself
      if (card.verdict) {
        verdict.textContent = card.verdict.words;
        verdict.dataset.kind = card.verdict.kind;
      }
      drawCurves();
      time.show(card.name, card.moments);
      test.show(card, lines).then(publish);
      command.textContent = card.command;
      repeat.hidden = !card.command;
      weights.hidden = !card.weights;
      weights.href = `runs/${card.name}/weights`;
      weights.textContent = card.weights?.startsWith("step-") ? "Checkpoint" : "Weights";
      take.refresh();
      tellLesson();
    }
    publish();
  }

  function drawProgress() {
    const newest = lines.findLast((line) => line.seconds),
      parts = [];
    bar.value = card.steps ? card.step / card.steps : 0;
    parts.push(
      `${card.kind === "fine-tuning" ? "Epoch" : "Step"} ${card.step}${card.steps ? ` of ${card.steps}` : ""}`,
    );
    if (newest?.steps_per_second)
      parts.push(
        `${short(newest.steps_per_second)} steps a second`,
        `${short(newest.pictures_per_second)} pictures a second`,
      );
    if (card.alive && card.seconds_left) parts.push(`${span(card.seconds_left)} left`);
    progress.textContent = parts.join(" · ");
  }

  function drawButtons(force) {
    const text = card.wishes.join() + card.mine;
    if (
      !force &&
      buttons.dataset.text === text &&
      ![...buttons.children].some(({ disabled }) => disabled)
    )
      return;
    buttons.dataset.text = text;
    buttons.hidden = card.mine && !card.wishes.length;
    buttons.replaceChildren(
      ...card.wishes.map((wish) =>
        el("button", {
          type: "button",
          class: "inside-button",
          "data-wish": wish,
          text: card.place && wish === "stop" ? "Take back" : WISHES[wish],
          onclick: (event) => press(event.currentTarget, wish),
        }),
      ),
    );
    if (!card.mine)
      buttons.append(
        el("span", {
          class: "inside-note",
          text: "You are watching: only the browser that started this run can steer it.",
        }),
      );
  }

  function drawCurves() {
    const tuned = card.kind === "fine-tuning",
      steps = lines.filter(({ logged }) => logged),
      x = steps.map(({ step }) => step);
    const show = (chart, wanted) => {
      chart.node.hidden = !wanted;
      return wanted;
    };
    limits = tuned
      ? [0, Math.max(...lines.map(({ step }) => step), 1)]
      : [Math.min(1, ...x), Math.max(...x, 2)];
    for (const [name] of TERMS) {
      if (!show(charts[name], !tuned)) continue;
      const anchor = steps.findLast(({ uniform }) => uniform?.[name])?.uniform[name];
      charts[name].draw(
        [
          {
            name: "loss",
            look: "a",
            x,
            y: steps.map(({ logged }) => logged[name] ?? null),
            anchor,
            anchorName: anchor ? "uniform output" : undefined,
          },
        ],
        limits,
      );
    }
    const measured = steps.filter((line) => line.measured),
      mx = measured.map(({ step }) => step),
      of = (kind, head) => measured.map((line) => line.measured[kind]?.[head] ?? null);
    if (show(charts.entropy, !tuned))
      charts.entropy.draw(
        [
          { name: "of each picture", look: "a", x: mx, y: of("teacher_entropy", "dino") },
          {
            name: "over all pictures",
            look: "b",
            x: mx,
            y: of("teacher_entropy_marginal", "dino"),
          },
          { name: "of each patch", look: "c", x: mx, y: of("teacher_entropy", "ibot") },
        ],
        limits,
      );
    if (show(charts.gradient, !tuned))
      charts.gradient.draw(
        ["backbone", "dino_head", "ibot_head"]
          .filter((part) => !steps.length || part in (steps[0].gradient_norms ?? {}))
          .map((part, i) => ({
            name: part.replace("_", " ").replace("dino", "DINO").replace("ibot", "iBOT"),
            look: "abc"[i],
            x,
            y: steps.map((line) => line.gradient_norms?.[part] ?? null),
          })),
        limits,
      );
    const knn = lines.filter((line) => line.knn);
    if (show(charts.knn, knn.length > 0))
      charts.knn.draw(
        [
          ["cls", "class token"],
          ["mean_patch", "mean patch"],
          ["both", "both"],
        ].map(([key, name], i) => ({
          name,
          look: "abc"[i],
          x: knn.map(({ step }) => step),
          y: knn.map((line) => line.knn[key] ?? null),
        })),
        [0, limits[1]],
      );
    const matching = lines.filter((line) => line.matching !== undefined);
    if (show(charts.matching, matching.length > 0))
      charts.matching.draw(
        [
          {
            name: "in another view",
            look: "a",
            x: matching.map(({ step }) => step),
            y: matching.map((line) => line.matching),
          },
        ],
        [0, limits[1]],
      );
    const epochs = lines.filter(({ stage }) => stage),
      ex = epochs.map(({ step }) => step);
    if (show(charts.loss, tuned))
      charts.loss.draw(
        [
          { name: "training", look: "a", x: ex, y: epochs.map((line) => line.train_loss ?? null) },
          {
            name: "validation",
            look: "b",
            x: ex,
            y: epochs.map((line) => line.validation_loss ?? null),
          },
        ],
        limits,
      );
    if (show(charts.accuracy, tuned))
      charts.accuracy.draw(
        [
          {
            name: "validation",
            look: "b",
            x: ex,
            y: epochs.map((line) =>
              line.validation_accuracy === undefined ? null : 100 * line.validation_accuracy,
            ),
          },
        ],
        limits,
      );
  }

  function tellLesson() {
    const newest = lines.findLast(({ logged }) => logged),
      measured = lines.findLast((line) => line.measured)?.measured;
    if (!newest)
      return fillLesson("training", {
        loss: "The numbers of a run without labels appear here when one is open.",
        entropy: "",
      });
    const sum = (values) =>
        (values.dino_local_crops_loss ?? 0) + (values.dino_global_crops_loss ?? 0),
      uniform = sum(newest.uniform);
    const flat = measured?.teacher_entropy.dino,
      marginal = measured?.teacher_entropy_marginal.dino;
    fillLesson("training", {
      loss: `After step ${newest.step} the DINO loss is ${sum(newest.logged).toFixed(4)} where uniform output would have ${uniform.toFixed(4)}, a ratio of ${(sum(newest.logged) / uniform).toFixed(3)}.`,
      entropy:
        flat === undefined || flat === null
          ? ""
          : `Now they are ${flat.toFixed(3)} and ${marginal.toFixed(3)}: ${(marginal - flat).toFixed(3)} apart.`,
    });
  }

  /* What tests and curious people may read off this screen. */
  function publish() {
    const newest = lines.at(-1);
    root.inside = {
      run: card?.name ?? null,
      state: card?.state ?? null,
      step: card?.step ?? 0,
      steps: card?.steps ?? 0,
      mine: card?.mine ?? false,
      lines: lines.length,
      newest,
      verdict: card?.verdict ?? null,
      moments: card?.moments ?? [],
      moment: time.moment,
      accuracy: test.report?.accuracy ?? null,
      confusion: test.report?.confusion ?? null,
      runs: all.map(({ name, state, place }) => [name, state, place]),
      form: form.state,
    };
  }

  // ---------- taking along

  function table() {
    const flat = lines.map((line) => Object.fromEntries(flatten(line))),
      names = [...new Set(flat.flatMap(Object.keys))];
    return (
      [
        names.join(","),
        ...flat.map((line) => names.map((name) => line[name] ?? "").join(",")),
      ].join("\n") + "\n"
    );
  }
  const flatten = (values, start = "") =>
    Object.entries(values).flatMap(([name, value]) =>
      value !== null && typeof value === "object"
        ? flatten(value, `${start}${name}.`)
        : [[start + name, value]],
    );

  function python() {
    const folder = `runs/${card?.name ?? "NAME"}`;
    if (card?.kind === "fine-tuning")
      return `import json

report = json.load(open("${folder}/report.json"))
print(report["accuracy"], report["confusion"])`;
    return `from dino_core.step.metrics import verdict
from dino_core.runs.folder import read_metrics

lines = read_metrics("${folder}")
print(lines[-1]["step"], lines[-1].get("logged"))
print(verdict(lines))`;
  }

  return {
    async show(view) {
      form.follow(view);
      if (!selection.run) select({ run: kept("run") });
      await refresh();
      form.follow(view);
    },
  };
}
