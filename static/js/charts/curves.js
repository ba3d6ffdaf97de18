/* Curves over the steps of a run: light, resizable, one cursor for all charts that share a group.

   The lines are SVG stretched over the plot; words and numbers are HTML, so that they never are. */
import { short, spaced, tickText } from "../ui/format.js";
import { el, svg } from "../ui/dom.js";
const DENSE = 500; // more points than this are averaged in places; hovering still finds the real ones
const DASHED = 4;

/* Three to six round numbers within [low, high]. */
function ticks(low, high) {
  const rough = (high - low) / 3,
    power = 10 ** Math.floor(Math.log10(rough));
  const step =
    [1, 2, 5, 10]
      .map((digit) => digit * power)
      .filter((size) => size <= rough * 1.0001)
      .pop() ?? power;
  const first = Math.ceil(low / step - 1e-9),
    last = Math.floor(high / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step);
}

function spread(series, floor, ceiling) {
  const values = series.flatMap(({ y, anchor }) => [
    ...y.filter((value) => value !== null && Number.isFinite(value)),
    ...(Number.isFinite(anchor) ? [anchor] : []),
  ]);
  let low = Infinity,
    high = -Infinity;
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  if (low > high) [low, high] = [0, 1];
  const edge = (high - low || Math.abs(high) || 1) * 0.07;
  return [floor ?? low - edge, ceiling ?? high + edge];
}

/* Averages in equal places of the axis, so that a long run is drawn as fast as a short one. */
function thinned(x, y, [from, to]) {
  if (x.length <= DENSE) return [x, y];
  const sums = Array.from({ length: DENSE }, () => [0, 0, 0]);
  x.forEach((at, i) => {
    if (y[i] === null || !Number.isFinite(y[i])) return;
    const sum = sums[Math.min(Math.floor(((at - from) / (to - from || 1)) * DENSE), DENSE - 1)];
    sum[0] += at;
    sum[1] += y[i];
    sum[2] += 1;
  });
  const kept = sums.filter((sum) => sum[2]);
  return [kept.map((sum) => sum[0] / sum[2]), kept.map((sum) => sum[1] / sum[2])];
}

/* The index of the point nearest to a place on the axis. */
export function nearest(x, at) {
  let low = 0,
    high = x.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (x[middle] < at) low = middle;
    else high = middle;
  }
  return x.length ? (Math.abs(x[high] - at) < Math.abs(x[low] - at) ? high : low) : -1;
}

/* options: title, note, format(value), floor, ceiling, axis ("step").
   draw(series, [from, to]) with series [{ name, look, x, y, anchor, anchorName }]. */
export function curveChart(
  { title, note = "", format = short, floor, ceiling, axis = "step" },
  group,
) {
  const heading = el("span", { text: note }),
    lines = svg("g"),
    grid = svg("g", { class: "grid" }),
    cursor = svg("line", { class: "cursor", y1: 0, y2: 100 });
  const drawing = svg(
    "svg",
    { viewBox: "0 0 100 100", preserveAspectRatio: "none", "aria-hidden": "true" },
    grid,
    lines,
    cursor,
  );
  const labels = el("div", { class: "labels", "aria-hidden": "true" }),
    dots = el("div", { class: "dots", "aria-hidden": "true" }),
    ends = el("div", { class: "ends" }),
    legend = el("ul");
  const plot = el(
    "div",
    { class: "plot", tabindex: "0", role: "img", "aria-label": title },
    labels,
    drawing,
    dots,
  );
  const node = el(
    "figure",
    { class: "inside-curve" },
    el("figcaption", {}, el("b", { text: title }), heading),
    plot,
    ends,
    legend,
  );
  const here = el("span", { class: "here" });
  let series = [],
    range = [0, 1],
    low = 0,
    high = 1,
    outputs = [],
    marks = [];

  const px = (value) => (100 * (value - range[0])) / (range[1] - range[0] || 1);
  const py = (value) => 100 - (100 * (value - low)) / (high - low || 1);

  function path({ x, y }) {
    const [xs, ys] = thinned(x, y, range);
    let text = "",
      open = false;
    xs.forEach((at, i) => {
      if (ys[i] === null || !Number.isFinite(ys[i])) {
        open = false;
        return;
      }
      text += `${open ? "L" : "M"}${px(at).toFixed(2)} ${py(ys[i]).toFixed(2)}`;
      open = true;
    });
    return text;
  }

  function draw(next, [from, to], text = note) {
    series = next;
    range = [from, to > from ? to : from + 1];
    [low, high] = spread(series, floor, ceiling);
    heading.textContent = text;
    const numbers = ticks(low, high);
    grid.replaceChildren(
      ...numbers.map((value) => svg("line", { x1: 0, x2: 100, y1: py(value), y2: py(value) })),
    );
    labels.replaceChildren(
      ...numbers.map((value) => el("span", { style: `top:${py(value)}%`, text: tickText(value) })),
    );
    lines.replaceChildren(
      ...series
        .filter(({ anchor }) => Number.isFinite(anchor))
        .map(({ look, anchor }) =>
          svg("path", { class: `${look} anchor`, d: `M0 ${py(anchor)}H100` }),
        ),
      ...series.map((one) => svg("path", { class: one.look, d: path(one) })),
    );
    ends.replaceChildren(
      el("span", { text: `${axis} ${spaced(Math.round(range[0]))}` }),
      here,
      el("span", { text: spaced(Math.round(to)) }),
    );
    tellLegend();
    plot.setAttribute(
      "aria-label",
      `${title}. ${series.map(({ name, y }) => `${name}: ${format(y.findLast((value) => value !== null))}`).join(", ")}`,
    );
    follow(group.at);
  }

  function tellLegend() {
    const wanted = series
      .map(({ name, anchorName, look }) => `${name}|${anchorName ?? ""}|${look}`)
      .join();
    if (legend.dataset.wanted === wanted) return;
    legend.dataset.wanted = wanted;
    outputs = series.map(() => el("b", { text: "–" }));
    marks = series.map(({ look }) => el("i", { class: look, hidden: true }));
    dots.replaceChildren(...marks);
    const sample = (look) =>
      svg(
        "svg",
        { viewBox: "0 0 22 8", "aria-hidden": "true" },
        svg("path", { class: look, d: "M0 4H22" }),
      );
    legend.replaceChildren(
      ...series.map(({ name, look }, i) =>
        el("li", {}, sample(look), el("span", { text: name }), outputs[i]),
      ),
      ...series
        .filter(({ anchorName }) => anchorName)
        .slice(0, 1)
        .map(({ look, anchorName, anchor }) =>
          el(
            "li",
            {},
            sample(`${look} anchor`),
            el("span", { text: anchorName }),
            el("b", { class: "at-anchor", text: format(anchor) }),
          ),
        ),
    );
  }

  /* The cursor stands at a place of the axis; null: at the end, unmarked. */
  function follow(at) {
    cursor.style.display = at === null ? "none" : "";
    here.textContent = at === null ? "" : `${axis} ${spaced(Math.round(at))}`;
    if (at !== null) {
      cursor.setAttribute("x1", px(at));
      cursor.setAttribute("x2", px(at));
    }
    series.forEach(({ x, y, anchor }, i) => {
      const index = at === null ? y.findLastIndex((value) => value !== null) : nearest(x, at),
        value = index >= 0 ? y[index] : null;
      outputs[i].textContent = format(value);
      marks[i].hidden = at === null || value === null || value === undefined;
      if (!marks[i].hidden) {
        marks[i].style.left = `${px(x[index])}%`;
        marks[i].style.top = `${py(value)}%`;
      }
      const shown = legend.querySelector(".at-anchor");
      if (shown && Number.isFinite(anchor)) shown.textContent = format(anchor);
    });
  }

  const place = (event) => {
    const box = plot.getBoundingClientRect();
    return Math.round(
      range[0] +
        Math.min(Math.max((event.clientX - box.left) / box.width, 0), 1) * (range[1] - range[0]),
    );
  };
  plot.addEventListener("pointermove", (event) => group.move(place(event)));
  plot.addEventListener("pointerleave", () => group.leave());
  plot.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step)
      group.move(
        Math.min(
          Math.max(
            (group.at ?? range[1]) + step * Math.max(Math.round((range[1] - range[0]) / 60), 1),
            range[0],
          ),
          range[1],
        ),
      );
    else if (event.key === "Escape") group.leave();
    else return;
    event.preventDefault();
  });

  /* Draws the chart into a canvas, for the picture that is taken along. */
  function paint(pen, left, top, width, height) {
    const ink = getComputedStyle(node),
      y = (value) => top + 24 + (py(value) / 100) * (height - 48);
    pen.fillStyle = "#111";
    pen.font = "600 13px system-ui, sans-serif";
    pen.fillText(title, left, top + 13);
    pen.font = "11px system-ui, sans-serif";
    for (const value of ticks(low, high)) {
      pen.strokeStyle = "#ddd";
      pen.lineWidth = 1;
      pen.beginPath();
      pen.moveTo(left + 44, y(value));
      pen.lineTo(left + width - 12, y(value));
      pen.stroke();
      pen.fillStyle = "#555";
      pen.textAlign = "right";
      pen.fillText(tickText(value), left + 38, y(value) + 4);
      pen.textAlign = "left";
    }
    pen.fillText(
      `${axis} ${Math.round(range[0])} to ${Math.round(range[1])}`,
      left + 44,
      top + height - 8,
    );
    [...lines.children].forEach((one) => {
      pen.strokeStyle = getComputedStyle(one).stroke || ink.color;
      pen.setLineDash(one.classList.contains("anchor") ? [DASHED, DASHED] : []);
      pen.lineWidth = 1.6;
      const shape = new Path2D();
      shape.addPath(
        new Path2D(one.getAttribute("d")),
        new DOMMatrix([(width - 56) / 100, 0, 0, (height - 48) / 100, left + 44, top + 24]),
      );
      pen.stroke(shape);
    });
    pen.setLineDash([]);
  }

  const chart = { node, draw, follow, paint };
  group.charts.push(chart);
  return chart;
}

/* Charts that share a cursor. `rest`: where it stands while nothing is pointed at (null: nowhere). */
export function cursorGroup(onmove = () => {}) {
  const group = {
    charts: [],
    at: null,
    rest: null,
    move(at) {
      group.at = at;
      for (const chart of group.charts) chart.follow(at);
      onmove(at);
    },
    leave() {
      group.move(group.rest);
    },
    /* All charts on one white sheet, two a row. */
    sheet() {
      const shown = group.charts.filter((chart) => chart.node.offsetParent),
        width = 520,
        height = 230,
        rows = Math.ceil(shown.length / 2);
      const canvas = el("canvas", { width: 2 * width + 24, height: rows * height + 24 }),
        pen = canvas.getContext("2d");
      pen.fillStyle = "#fff";
      pen.fillRect(0, 0, canvas.width, canvas.height);
      shown.forEach((chart, i) =>
        chart.paint(
          pen,
          12 + (i % 2) * width,
          12 + Math.floor(i / 2) * height,
          width - 12,
          height - 12,
        ),
      );
      return canvas;
    },
  };
  return group;
}
