/* The same picture at every milestone of a run: attention and PCA under a slider. */
import { sentenceOf } from "../../page/errors.js";
import { bus } from "../../page/bus.js";
import { fetchScene } from "../../page/scenes.js";
import { selection } from "../../page/selection.js";
import { paintMap, paintRgb } from "../../ui/canvas.js";
import { choice, slider as sliderOf } from "../../ui/controls.js";
import { el } from "../../ui/dom.js";
import { percent } from "../../ui/format.js";
import { legend as colourLegend } from "../../ui/legend.js";
import { maximum } from "../../ui/numbers.js";
export function timeLine(onchange) {
  let run = null,
    moments = [],
    at = 0,
    picture = 0,
    head = null,
    scene = null,
    last = true;
  const input = el("canvas", { class: "smooth" }),
    attention = el("canvas"),
    pca = el("canvas");
  const legend = el("div"),
    said = el("p", { class: "inside-note", "aria-live": "polite" }),
    which = el("div", { class: "inside-controls" });
  const slider = sliderOf("Checkpoint", {
    min: 0,
    max: 0,
    say: (index) => nameOf(moments[index]),
    oninput: (index) => {
      at = index;
      last = at === moments.length - 1;
      load();
    },
  });
  slider.node.classList.add("wide");
  const figure = (canvas, title, ...more) =>
    el(
      "figure",
      { class: "inside-mask" },
      canvas,
      el("figcaption", {}, el("b", { text: title }), ...more),
    );
  const attentionTitle = el("span");
  const node = el(
    "section",
    { class: "inside-time", hidden: true },
    el("h2", { text: "The same picture at each checkpoint" }),
    el("div", { class: "inside-controls" }, slider.node, which),
    el(
      "div",
      { class: "inside-three" },
      figure(input, "The picture", el("span", { text: "as the model sees it" })),
      figure(attention, "Attention of the class token", attentionTitle, legend),
      figure(
        pca,
        "PCA of the patches",
        el("span", { text: "a PCA of its own at each checkpoint: colours may swap" }),
      ),
    ),
    said,
  );

  function nameOf(moment) {
    if (!moment) return "";
    return moment.startsWith("step-") ? `step ${Number(moment.slice(5))}` : moment;
  }

  async function load() {
    if (!moments.length) return;
    const moment = moments[at],
      asked = `${run} ${moment}`;
    try {
      const next = await fetchScene(`runs/${run}/probe/${moment}`);
      if (asked !== `${run} ${moments[at]}`) return; // overtaken
      scene = next;
      paint();
    } catch (error) {
      said.textContent = sentenceOf(error);
    }
  }

  function paint() {
    const {
        grid: [h, w],
        heads,
        names,
      } = scene.facts,
      P = h * w,
      side = scene.shapes.pictures[1];
    picture = Math.min(picture, names.length - 1);
    head = selection.head !== null && selection.head < heads ? selection.head : null;
    const map = new Float32Array(P),
      from = picture * heads * P;
    for (let a = 0; a < heads; a++)
      if (head === null || a === head)
        for (let p = 0; p < P; p++)
          map[p] += scene.attention[from + a * P + p] / (head === null ? heads : 1);
    const high = maximum(map, 0, P);
    paintRgb(
      input,
      scene.pictures.subarray(picture * side * side * 3, (picture + 1) * side * side * 3),
      side,
      side,
    );
    paintMap(attention, map, { offset: 0, grid: [h, w], low: 0, high: high || 1 });
    paintRgb(pca, scene.pca.subarray(picture * P * 3, (picture + 1) * P * 3), h, w);
    legend.replaceChildren(colourLegend("magma", "0", percent(high, 2)));
    attentionTitle.textContent =
      head === null
        ? `last block, mean of ${heads} heads`
        : `last block, head ${head + 1} of ${heads}`;
    let entropy = 0,
      sum = 0;
    for (const value of map) sum += value;
    for (const value of map) if (value > 0) entropy -= (value / sum) * Math.log(value / sum);
    said.textContent = `${names[picture]}, ${nameOf(moments[at])}: the strongest patch holds ${percent(high, 2)} of the attention, spread over ${Math.exp(entropy).toFixed(0)} of ${P} patches.`;
    if (which.dataset.names !== names.join()) {
      which.dataset.names = names.join();
      which.replaceChildren(
        ...(names.length > 1
          ? [
              choice(
                "Picture",
                names.map((name, i) => [i, name]),
                picture,
                (i) => {
                  picture = Number(i);
                  paint();
                },
              ).node,
            ]
          : []),
      );
    }
    onchange({ moment: moments[at], high, names });
  }
  bus.on("selection", ({ change }) => {
    if ("head" in change && scene) paint();
  });

  return {
    node,
    get moment() {
      return moments[at] ?? null;
    },
    show(name, next) {
      const same = name === run && next.join() === moments.join();
      if (same) return;
      if (name !== run) {
        at = 0;
        last = true;
        scene = null;
        picture = 0;
      }
      run = name;
      moments = next;
      node.hidden = !moments.length;
      if (last) at = Math.max(moments.length - 1, 0);
      slider.limit(Math.max(moments.length - 1, 0));
      slider.set(at);
      slider.input.disabled = moments.length < 2;
      load();
    },
  };
}
