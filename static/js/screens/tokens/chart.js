/* A small line chart over the steps of the walk, drawn as SVG: a few series, one cursor. */
import { threeDigits } from "../../ui/format.js";
import { el, svg } from "../../ui/dom.js";
const BOX = { left: 34, right: 10, top: 8, bottom: 22, width: 460, height: 172 };

/* 1, 2, 5, 10, ... within [low, high]. */
function roundNumbers(low, high) {
  const ticks = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++)
    for (const digit of [1, 2, 5]) {
      const tick = digit * 10 ** power;
      if (tick >= low * 0.999 && tick <= high * 1.001) ticks.push(tick);
    }
  return ticks;
}

/* options: title, steps (count), stepName(step), series: [{ name, look }], onpick(step).
   Every series is an array of numbers, one a step, null where there is none; heights are
   logarithmic, for lengths grow by factors. Returns { node, draw(values), cursor(step) }. */
export function lineChart({ title, series, onpick }) {
  const grid = svg("g", { class: "grid" }),
    cursor = svg("line", { class: "cursor", y1: BOX.top, y2: BOX.height - BOX.bottom });
  const paths = series.map(({ look }) => svg("path", { class: look })),
    points = series.map(({ look }) => svg("circle", { class: look, r: 3.2 }));
  const picture = svg("svg", {
    viewBox: `0 0 ${BOX.width} ${BOX.height}`,
    role: "img",
    "aria-label": title,
  });
  picture.append(grid, cursor, ...paths, ...points);
  const outputs = series.map(() => el("b", { text: "–" }));
  const legend = el(
    "ul",
    {},
    ...series.map(({ name, look }, i) => {
      const sample = svg("svg", { viewBox: "0 0 22 8", "aria-hidden": "true" });
      sample.append(svg("path", { class: look, d: "M0 4H22" }));
      return el("li", {}, sample, el("span", { text: name }), outputs[i]);
    }),
  );
  const node = el(
    "figure",
    { class: "inside-growth" },
    el("figcaption", { text: title }),
    picture,
    legend,
  );
  let values = [],
    steps = 1,
    low = 1,
    high = 10,
    now = 0,
    names = String;

  const x = (step) =>
    BOX.left + (step * (BOX.width - BOX.left - BOX.right)) / Math.max(steps - 1, 1);
  const y = (value) =>
    BOX.top +
    (1 - Math.log(Math.max(value, low) / low) / Math.log(high / low)) *
      (BOX.height - BOX.top - BOX.bottom);

  picture.addEventListener("click", (event) => {
    const box = picture.getBoundingClientRect(),
      at = ((event.clientX - box.left) / box.width) * BOX.width;
    const step = Math.round(((at - BOX.left) / (BOX.width - BOX.left - BOX.right)) * (steps - 1));
    onpick(Math.min(Math.max(step, 0), steps - 1));
  });

  function line(series) {
    let text = "",
      open = false;
    series.forEach((value, step) => {
      if (!(value > 0)) {
        open = false;
        return;
      }
      text += `${open ? "L" : "M"}${x(step).toFixed(1)} ${y(value).toFixed(1)}`;
      open = true;
    });
    return text;
  }

  function axes() {
    const ticks = roundNumbers(low, high),
      every = Math.ceil(steps / 14);
    grid.replaceChildren(
      ...ticks
        .filter((_, i) => ticks.length < 8 || i % 3 === 0)
        .flatMap((tick) => [
          svg("line", { x1: BOX.left, x2: BOX.width - BOX.right, y1: y(tick), y2: y(tick) }),
          svg(
            "text",
            { x: BOX.left - 6, y: y(tick) + 3.5, "text-anchor": "end" },
            String(Number(tick.toPrecision(3))),
          ),
        ]),
      ...Array.from({ length: steps }, (_, step) => step)
        .filter((step) => step % every === 0 || step === steps - 1)
        .map((step) =>
          svg("text", { x: x(step), y: BOX.height - 6, "text-anchor": "middle" }, names(step)),
        ),
    );
  }

  function follow() {
    cursor.setAttribute("x1", x(now));
    cursor.setAttribute("x2", x(now));
    values.forEach((series, i) => {
      const value = series[now],
        there = value > 0;
      points[i].style.display = there ? "" : "none";
      if (there) {
        points[i].setAttribute("cx", x(now));
        points[i].setAttribute("cy", y(value));
      }
      outputs[i].textContent = there ? threeDigits(value) : "–";
    });
  }

  return {
    node,
    /* All series anew; the axis spans those whose index is in `spanned`, so that it stays calm. */
    draw(next, stepName, spanned = next.map((_, i) => i)) {
      values = next;
      names = stepName;
      steps = values[0].length;
      const all = spanned.flatMap((i) => [...values[i]]).filter((value) => value > 0);
      high = Math.max(...all) * 1.08;
      low = Math.min(Math.max(Math.min(...all), high / 2000) / 1.08, high / 2); // registers may begin at 1e-6
      axes();
      paths.forEach((path, i) => path.setAttribute("d", line(values[i])));
      legend.childNodes.forEach((item, i) => {
        item.hidden = !values[i].length;
      });
      follow();
    },
    /* One series anew, within the same axes. */
    redraw(i, series) {
      values[i] = series;
      legend.children[i].hidden = !series.length;
      paths[i].setAttribute("d", line(series));
      follow();
    },
    cursor(step) {
      now = step;
      follow();
    },
  };
}
