/* How much simple classifiers know at each layer: lines with their intervals; a click is the map of that layer. */
import { choice } from "../../ui/controls.js";
import { el, svg } from "../../ui/dom.js";
import { percent } from "../../ui/format.js";

const NAMES = { cls: "Class token", mean_patch: "Mean patch", both: "Both" };
const LOOKS = { cls: "a", mean_patch: "b", both: "c" };
const METHODS = { knn: "k-NN", logistic: "Logistic" };

/* onlayer(layer, kind) when a place is chosen, onmethod(method) when the classifier changes. */
export function probeChart({ onlayer, onmethod }) {
  let probe = null,
    never = false,
    method = "knn",
    layer = 0,
    kind = "cls",
    cursor = null;
  const methods = choice("Classifier", Object.entries(METHODS), method, (value) => {
    method = value;
    draw();
    onmethod(value);
  });
  const drawing = svg("svg", {
      viewBox: "0 0 100 100",
      preserveAspectRatio: "none",
      "aria-hidden": "true",
    }),
    labels = el("div", { class: "labels", "aria-hidden": "true" }),
    dots = el("div", { class: "dots", "aria-hidden": "true" });
  const plot = el(
    "div",
    {
      class: "plot",
      tabindex: "0",
      role: "slider",
      "aria-label": "Probe accuracy by layer",
      "aria-valuemin": 0,
    },
    labels,
    drawing,
    dots,
  );
  const ends = el("div", { class: "ends", "aria-hidden": "true" }),
    legend = el("ul"),
    words = el("p", { class: "inside-note", "aria-live": "polite" });
  const heading = el("h2", { text: "Where the knowledge appears" });
  const chart = el("figure", { class: "inside-curve inside-probe" }, plot, ends, legend);
  const node = el(
    "section",
    { class: "inside-left inside-gallery-probes", "aria-label": "Probes by layer" },
    heading,
    el("div", { class: "inside-controls" }, methods.node),
    chart,
    words,
  );

  const count = () => probe.shapes.accuracy[0];
  const value = (array, at, k) => array[(at * 3 + k) * 2 + probe.facts.methods.indexOf(method)];
  let low = 0,
    high = 1;
  const px = (at) => (count() > 1 ? (100 * at) / (count() - 1) : 50),
    py = (share) => 100 - (100 * (share - low)) / (high - low);

  function draw() {
    chart.style.visibility = probe ? "" : "hidden";
    chart.hidden = methods.node.hidden = never;
    if (!probe) return;
    const { kinds, chance } = probe.facts,
      every = [...probe.low, ...probe.high].filter(Number.isFinite),
      shift = [-0.5, 0, 0.5]; // intervals side by side
    low = Math.max(0, Math.floor(5 * Math.min(...every, chance)) / 5);
    high = Math.min(1, Math.ceil(5 * Math.max(...every, chance)) / 5);
    const ticks = [low, (low + high) / 2, high];
    labels.replaceChildren(
      ...ticks.map((share) => el("span", { style: `top:${py(share)}%`, text: percent(share, 0) })),
    );
    const lines = ticks.map((share) =>
      svg("line", { x1: 0, x2: 100, y1: py(share), y2: py(share) }),
    );
    const here = cursor ?? layer;
    drawing.replaceChildren(
      svg("g", { class: "grid" }, ...lines),
      svg("path", { class: "anchor chance", d: `M0 ${py(chance)}H100` }),
      ...kinds.flatMap((name, k) => {
        const at = Array.from({ length: count() }, (_, i) => i).filter((i) =>
          Number.isFinite(value(probe.accuracy, i, k)),
        );
        return [
          svg("path", {
            class: `${LOOKS[name]} interval`,
            d: at
              .map(
                (i) =>
                  `M${px(i) + shift[k]} ${py(value(probe.low, i, k))}V${py(value(probe.high, i, k))}`,
              )
              .join(""),
          }),
          svg("path", {
            class: LOOKS[name],
            d: at
              .map(
                (i, n) =>
                  `${n && at[n - 1] === i - 1 ? "L" : "M"}${px(i)} ${py(value(probe.accuracy, i, k))}`,
              )
              .join(""),
          }),
        ];
      }),
      svg("line", { class: "cursor", x1: px(here), x2: px(here), y1: 0, y2: 100 }),
    );
    dots.replaceChildren(
      ...kinds.map((name, k) =>
        el("i", {
          class: LOOKS[name],
          style: `left:${px(here)}%;top:${py(value(probe.accuracy, here, k))}%`,
          hidden: !Number.isFinite(value(probe.accuracy, here, k)),
        }),
      ),
    );
    ends.replaceChildren(
      el("span", { text: "layer 0" }),
      el("span", { class: "here", text: `layer ${here}` }),
      el("span", { text: String(count() - 1) }),
    );
    legend.replaceChildren(
      ...kinds.map((name, k) =>
        el(
          "li",
          {},
          sample(LOOKS[name]),
          el("span", { text: NAMES[name] }),
          el("b", { text: say(here, k) }),
        ),
      ),
      el(
        "li",
        {},
        sample("anchor chance"),
        el("span", { text: "always the commonest class" }),
        el("b", { text: percent(chance) }),
      ),
    );
    plot.setAttribute("aria-valuemax", count() - 1);
    plot.setAttribute("aria-valuenow", here);
    plot.setAttribute(
      "aria-valuetext",
      `layer ${here}: ${kinds.map((name, k) => `${NAMES[name]} ${say(here, k)}`).join(", ")}`,
    );
    words.textContent = `${probe.facts.words}${/[.!]$/.test(probe.facts.words) ? "" : "."} Bars: 95 % intervals.${probe.facts.complete ? "" : " More layers are still being judged."}`;
  }

  const sample = (look) =>
    svg(
      "svg",
      { viewBox: "0 0 22 8", "aria-hidden": "true" },
      svg("path", { class: look, d: "M0 4H22" }),
    );
  function say(at, k) {
    const share = value(probe.accuracy, at, k);
    return Number.isFinite(share)
      ? `${percent(share)} (${percent(value(probe.low, at, k), 0)} to ${percent(value(probe.high, at, k), 0)})`
      : "–";
  }

  /* The layer under the pointer, and the line nearest to it. */
  function place(event) {
    const box = plot.getBoundingClientRect(),
      at = Math.round(
        Math.min(Math.max((event.clientX - box.left) / box.width, 0), 1) * (count() - 1),
      ),
      y = (100 * (event.clientY - box.top)) / box.height;
    const away = probe.facts.kinds
      .map((_, k) => Math.abs(py(value(probe.accuracy, at, k)) - y))
      .map((one) => (Number.isFinite(one) ? one : 1e9));
    return [at, probe.facts.kinds[away.indexOf(Math.min(...away))]];
  }
  plot.addEventListener("pointermove", (event) => {
    if (probe) {
      cursor = place(event)[0];
      draw();
    }
  });
  plot.addEventListener("pointerleave", () => {
    cursor = null;
    draw();
  });
  plot.addEventListener("click", (event) => probe && onlayer(...place(event)));
  plot.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 }[event.key];
    if (!probe || (!step && event.key !== "Home" && event.key !== "End")) return;
    onlayer(
      step
        ? Math.min(Math.max(layer + step, 0), count() - 1)
        : event.key === "Home"
          ? 0
          : count() - 1,
      kind,
    );
    event.preventDefault();
  });

  return {
    node,
    show(next) {
      probe = next;
      never = false;
      draw();
    },
    /* Nothing to show: yet, or ever. */
    none(text, forGood = false) {
      probe = null;
      never = forGood;
      words.textContent = text;
      draw();
    },
    follow(at, which) {
      layer = at;
      kind = which;
      cursor = null;
      draw();
    },
    get method() {
      return method;
    },
    methodName: () => METHODS[method],
    get state() {
      return {
        complete: probe?.facts.complete ?? false,
        method,
        accuracy: probe ? [...probe.accuracy] : null,
        words: words.textContent,
      };
    },
    get probe() {
      return probe;
    },
  };
}
