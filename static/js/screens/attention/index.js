/* Attention: the queries and keys of one layer are here, so any patch's row is a look-up away.

     row[a, n] = softmax over n of (q[a, query] . k[a, n]) / sqrt(d)                              */
import { bus } from "../../page/bus.js";
import { run } from "../../page/errors.js";
import { exportBar } from "../../page/export.js";
import { fillLesson } from "../../page/lesson.js";
import { openInPython } from "../../page/python.js";
import { fetchScene, sceneUrl } from "../../page/scenes.js";
import { isSparing } from "../../page/screens.js";
import { fitSelection, select, selectedPatch, selection } from "../../page/selection.js";
import { flatten, paintMap, printMap } from "../../ui/canvas.js";
import { slider } from "../../ui/controls.js";
import { el } from "../../ui/dom.js";
import { percent } from "../../ui/format.js";
import { rafThrottle, throttle } from "../../ui/frame.js";
import { legend } from "../../ui/legend.js";
import { maximum } from "../../ui/numbers.js";
import { PatchPicture } from "../../ui/patch-picture.js";
export function create(root) {
  let view = null,
    scene = null,
    overview = null,
    numbers = null,
    rows = null;
  let hovered = null,
    strength = 0.75,
    rolled = false;

  const picture = new PatchPicture({
    from: selectedPatch,
    label:
      "Picture in patches. Arrows move the patch, Enter keeps it, C is the class token, [ and ] change the layer, 1 to 9 the head, 0 their mean.",
    onhover: rafThrottle((row, col) => {
      hovered = [row, col];
      update();
    }),
    onleave: rafThrottle(() => {
      hovered = null;
      update();
    }),
    onpin: (row, col) => {
      hovered = null;
      select({ row, col });
    },
    onkey: key,
    say,
  });
  const layerSlider = slider("Layer", {
    max: 11,
    value: 11,
    oninput: (value) => select({ layer: value }),
  });
  const strengthSlider = slider("Overlay", {
    max: 1,
    step: 0.05,
    value: strength,
    say: (v) => `${Math.round(100 * v)} %`,
    oninput: (value) => {
      strength = value;
      picture.overlay.style.opacity = value;
    },
  });
  const classToken = el("button", {
    type: "button",
    class: "inside-button",
    text: "Class token",
    onclick: () => select({ row: null, col: null }),
  });
  const rollout = el("button", {
    type: "button",
    class: "inside-button",
    text: "Rollout",
    "aria-pressed": "false",
    title: "The class token's attention followed down through all layers",
    onclick: () => {
      rolled = !rolled;
      rollout.setAttribute("aria-pressed", String(rolled));
      run(root, update);
    },
  });
  const story = el("p", { class: "inside-details", "aria-live": "polite" });
  const legendPlace = el("div");
  const heads = el("div", { class: "inside-heads" });
  const birds = el("div", {
    class: "inside-birds",
    role: "group",
    "aria-label": "The class token in all layers and heads",
  });
  const pair = el("div", { class: "inside-pairs" });
  let cards = [],
    cells = [];
  const take = exportBar("attention", {
    png: () => flatten(picture.picture, picture.overlay, strength),
    npz: () => sceneUrl(view.key, `attention/${selection.layer}`, { form: "npz" }),
    csv: table,
    python,
  });
  root.append(
    el(
      "div",
      { class: "inside-columns" },
      el(
        "div",
        { class: "inside-left" },
        picture.node,
        legendPlace,
        story,
        el(
          "div",
          { class: "inside-controls" },
          layerSlider.node,
          strengthSlider.node,
          classToken,
          rollout,
        ),
        pair,
        take.node,
      ),
      el(
        "div",
        { class: "inside-left" },
        heads,
        el("h2", { text: "The class token in all layers (rows) and heads (columns)" }),
        birds,
      ),
    ),
  );
  picture.overlay.style.opacity = strength;

  function key(name) {
    if (name === "c" || name === "C" || name === "Escape") select({ row: null, col: null });
    else if (name === "Enter") {
      if (hovered) select({ row: hovered[0], col: hovered[1] });
    } else if (name === "[" || name === "]")
      select({
        layer: Math.min(Math.max(selection.layer + (name === "]" ? 1 : -1), 0), view.layers - 1),
      });
    else if (/^[1-9]$/.test(name) && Number(name) <= cards.length)
      select({ head: Number(name) - 1 });
    else if (name === "0") select({ head: null });
    else return false;
    return true;
  }

  // ---------- numbers

  const firstPatch = () => 1 + scene.facts.registers;
  const tokenAt = (row, col) => (row === null ? 0 : firstPatch() + row * scene.facts.grid[1] + col);

  /* What token `query` attends to in every head: Float32Array [A * N]. Four sums at a time, for
     each addition would wait for the one before; d is a multiple of 4 in every model. */
  function attend(query) {
    const [A, N, d] = scene.shapes.keys,
      k = scene.keys,
      scale = scene.facts.scale;
    if (!rows || rows.length !== A * N) rows = new Float32Array(A * N);
    for (let a = 0; a < A; a++) {
      const base = a * N * d,
        out = a * N;
      const q = Float64Array.from(
        scene.queries.subarray(base + query * d, base + (query + 1) * d),
        (value) => value * scale,
      );
      let high = -Infinity;
      for (let n = 0, j = base; n < N; n++, j += d) {
        let s0 = 0,
          s1 = 0,
          s2 = 0,
          s3 = 0;
        for (let i = 0; i < d; i += 4) {
          s0 += q[i] * k[j + i];
          s1 += q[i + 1] * k[j + i + 1];
          s2 += q[i + 2] * k[j + i + 2];
          s3 += q[i + 3] * k[j + i + 3];
        }
        const dot = s0 + s1 + s2 + s3;
        rows[out + n] = dot;
        if (dot > high) high = dot;
      }
      let total = 0;
      for (let n = out; n < out + N; n++) total += rows[n] = Math.exp(rows[n] - high);
      for (let n = out; n < out + N; n++) rows[n] /= total;
    }
    return rows;
  }

  let average = null;
  function mean(A, N) {
    if (!average || average.length !== N) average = new Float32Array(N);
    for (let n = 0; n < N; n++) {
      let total = 0;
      for (let a = 0; a < A; a++) total += rows[a * N + n];
      average[n] = total / A;
    }
    return average;
  }

  function sum(values, offset, count) {
    let total = 0;
    for (let i = offset; i < offset + count; i++) total += values[i];
    return total;
  }

  /* The row that is shown on the picture: [values, offset of its first patch]. */
  function shownRow() {
    const [A, N] = scene.shapes.keys;
    return selection.head === null
      ? [mean(A, N), firstPatch()]
      : [rows, selection.head * N + firstPatch()];
  }

  function say(row, col) {
    if (!scene || !rows) return null;
    const [map, offset] = shownRow();
    const self = map[offset + row * scene.facts.grid[1] + col];
    return `row ${row}, column ${col}\nattends to itself: ${percent(self, 2)}`;
  }

  // ---------- drawing

  async function update() {
    if (!scene) return;
    const [row, col] = hovered ?? [selection.row, selection.col];
    const [h, w] = scene.facts.grid,
      [, N] = scene.shapes.keys,
      first = firstPatch(),
      P = h * w;
    const query = tokenAt(row, col);
    attend(query);
    const highs = cards.map(({ canvas }, a) => {
      const high = maximum(rows, a * N + first, P);
      paintMap(canvas, rows, { offset: a * N + first, grid: [h, w], low: 0, high: high });
      return high;
    });
    picture.mark(row, col, !hovered);
    if (rolled) {
      tellMaxima(highs);
      await paintRollout(h, w);
      return;
    }
    const [map, offset] = shownRow();
    const high = maximum(map, offset, P);
    paintMap(picture.overlay, map, { offset: offset, grid: [h, w], low: 0, high: high });
    const R = first - 1,
      classShare = map[offset - first],
      registers = sum(map, offset - R, R);
    (hovered ? words : words.now)(
      row,
      col,
      [...highs, high],
      [sum(map, offset, P), classShare, registers],
    );
    root.inside = {
      key: view.key,
      layer: scene.facts.layer,
      row,
      col,
      head: selection.head,
      query,
      rows,
      tokens: N,
      firstPatch: first,
    };
    if (!hovered) settle(row, col);
  }

  const tellMaxima = (highs) =>
    cards.forEach(({ numbers }, a) => {
      numbers.textContent = `max ${percent(highs[a])}`;
    });

  /* The numbers to the pictures. `highs`: of each head and of what the large picture shows. */
  const words = throttle((row, col, highs, [patches, classToken, registers]) => {
    tellMaxima(highs);
    const who = row === null ? "The class token" : `Patch row ${row}, column ${col}`;
    const which =
      selection.head === null ? `mean of ${cards.length} heads` : `head ${selection.head + 1}`;
    story.textContent =
      `${who}, layer ${scene.facts.layer}, ${which}: ${percent(patches)} goes to the patches, ` +
      `${percent(classToken)} to the class token${scene.facts.registers ? `, ${percent(registers)} to the registers` : ""}.`;
    showLegend(highs.at(-1));
  });

  let legendText = "";
  function showLegend(high) {
    const text = percent(high, 2);
    if (text !== legendText) legendPlace.replaceChildren(legend("magma", "0", (legendText = text)));
  }

  async function paintRollout(h, w) {
    const scene = await fetchScene(sceneUrl(view.key, "rollout"));
    const high = maximum(scene.rollout, 0, h * w);
    paintMap(picture.overlay, scene.rollout, { offset: 0, grid: [h, w], low: 0, high: high });
    story.textContent =
      "Rollout: heads averaged, each block counted half as attention and half as the residual that passes it by, all layers multiplied; the class token's row.";
    showLegend(high);
    root.inside = { key: view.key, rollout: scene.rollout };
  }

  /* What only follows when the pointer rests: the pair's numbers, the lesson, the code. */
  function settle(row, col) {
    const [h, w] = scene.facts.grid,
      [, N, d] = scene.shapes.keys;
    const query = tokenAt(row, col),
      head = selection.head ?? 0,
      first = firstPatch();
    let best = 0;
    for (let p = 1; p < h * w; p++)
      if (rows[head * N + first + p] > rows[head * N + first + best]) best = p;
    let dot = 0;
    for (let i = 0; i < d; i++)
      dot +=
        scene.queries[(head * N + query) * d + i] * scene.keys[(head * N + first + best) * d + i];
    const weight = rows[head * N + first + best];
    const line = (name, value) =>
      el("tr", {}, el("th", { text: name, scope: "row" }), el("td", { text: value }));
    const place = `row ${Math.floor(best / w)}, column ${best % w}`;
    pair.replaceChildren(
      el("h2", { text: `Where head ${head + 1} looks most: ${place}` }),
      el(
        "table",
        { class: "inside-table" },
        el(
          "tbody",
          {},
          line("q · k", dot.toFixed(3)),
          line(
            `divided by √${d} = ${Math.sqrt(d).toFixed(2)}`,
            (dot * scene.facts.scale).toFixed(3),
          ),
          line(`softmax over ${N} tokens`, percent(weight, 2)),
          ...(numbers?.facts.layer === scene.facts.layer
            ? [
                line(
                  "entropy of this head, all queries",
                  `${numbers.entropy[head].toFixed(2)} of ${numbers.facts.largest_entropy.toFixed(2)} nats`,
                ),
                line("mean distance it looks", `${numbers.distance[head].toFixed(0)} px`),
              ]
            : []),
        ),
      ),
    );
    Object.assign(root.inside, { pair: { head, best, dot, weight } });
    fillLesson("attention", {
      d,
      n: N,
      who: row === null ? "the class token" : `patch ${row}, ${col}`,
      head: head + 1,
      layer: scene.facts.layer,
      dot: dot.toFixed(2),
      scaled: (dot * scene.facts.scale).toFixed(2),
      weight: percent(weight, 2),
      place,
    });
    take.refresh();
  }

  function buildHeads(A) {
    cards = Array.from({ length: A }, (_, a) => {
      const canvas = el("canvas"),
        numbers = el("small");
      const node = el(
        "button",
        {
          type: "button",
          class: "inside-head",
          "aria-pressed": String(selection.head === a),
          onclick: () => select({ head: selection.head === a ? null : a }),
        },
        canvas,
        el("span", {}, el("b", { text: `Head ${a + 1}` }), numbers),
      );
      return { canvas, numbers, node };
    });
    heads.replaceChildren(...cards.map((card) => card.node));
  }

  async function loadOverview() {
    overview = await fetchScene(sceneUrl(view.key, "overview"));
    const [L, A, h, w] = overview.shapes.cls_rows;
    birds.style.setProperty("--heads", A);
    cells = [];
    birds.replaceChildren(
      el("span"),
      ...Array.from({ length: A }, (_, a) => el("span", { class: "head", text: a + 1 })),
    );
    for (let layer = 0; layer < L; layer++) {
      birds.append(el("span", { text: layer }));
      for (let a = 0; a < A; a++) {
        const map = el("img", { alt: "", draggable: "false" }),
          at = (layer * A + a) * h * w;
        printMap(map, overview.cls_rows, {
          offset: at,
          grid: [h, w],
          low: 0,
          high: maximum(overview.cls_rows, at, h * w),
        });
        const entropy = overview.entropy[layer * A + a].toFixed(2);
        const cell = el(
          "button",
          {
            type: "button",
            title: `Layer ${layer}, head ${a + 1}, entropy ${entropy} nats`,
            "aria-label": `Layer ${layer}, head ${a + 1}`,
            onclick: () => select({ layer, head: a, row: null, col: null }),
          },
          map,
        );
        cells.push({ layer, head: a, cell });
        birds.append(cell);
      }
    }
    markCell();
  }

  function markCell() {
    for (const { layer, head, cell } of cells)
      cell.classList.toggle(
        "here",
        layer === selection.layer && (selection.head === null || head === selection.head),
      );
  }

  // ---------- loading

  async function load() {
    const wanted = selection.layer,
      key = view.key;
    const next = await fetchScene(sceneUrl(key, `attention/${wanted}`));
    if (wanted !== selection.layer || key !== view.key) return; // overtaken
    scene = next;
    numbers = null;
    if (cards.length !== scene.shapes.keys[0]) buildHeads(scene.shapes.keys[0]);
    for (const node of [heads, birds])
      node.style.setProperty("--aspect", `${scene.facts.grid[1]} / ${scene.facts.grid[0]}`);
    layerSlider.set(wanted);
    update();
    markCell();
    if (isSparing()) return; // spare the newcomer's line
    afterwards(wanted, key);
  }

  /* The neighbours one after the other, those further on in the direction of travel first, so that
     the next step is instant; and when the layer rests, the numbers over all queries. */
  let came = 0,
    resting = null;
  async function afterwards(layer, key) {
    const overtaken = () => layer !== selection.layer || key !== view.key;
    const step = layer < came ? -1 : 1;
    came = layer;
    clearTimeout(resting);
    resting = setTimeout(() => {
      if (!overtaken()) tellHeads(layer, overtaken);
    }, 200);
    for (const near of [layer + step, layer + 2 * step, layer - step]) {
      if (near < 0 || near >= view.layers) continue;
      await fetchScene(sceneUrl(key, `attention/${near}`)).catch(() => {});
      if (overtaken()) return;
    }
  }

  async function tellHeads(layer, overtaken) {
    const all = await fetchScene(sceneUrl(view.key, `heads/${layer}`)).catch(() => null);
    if (!all || overtaken()) return;
    numbers = all;
    update();
  }

  bus.on("selection", ({ selection: now, change }) => {
    if (!view) return;
    cards.forEach((card, a) => card.node.setAttribute("aria-pressed", String(a === now.head)));
    if ("layer" in change && change.layer !== scene?.facts.layer) {
      layerSlider.set(now.layer);
      run(root, load);
    } else {
      update();
      markCell();
    }
  });

  // ---------- taking along

  function table() {
    const [h, w] = scene.facts.grid,
      [A, N] = scene.shapes.keys,
      first = firstPatch();
    const lines = [`row,column,${Array.from({ length: A }, (_, a) => `head_${a + 1}`).join(",")}`];
    for (let p = 0; p < h * w; p++)
      lines.push(
        [
          Math.floor(p / w),
          p % w,
          ...Array.from({ length: A }, (_, a) => rows[a * N + first + p]),
        ].join(","),
      );
    return lines.join("\n") + "\n";
  }

  function python() {
    const { row, col, layer } = selection;
    return (
      `${openInPython(view)}\nrows = seen.rows(${row === null ? "0" : `seen.token_at(${row}, ${col})`})[${layer}]` +
      `  # [heads, tokens], each sums to 1\nmaps = seen.on_grid(rows)  # [heads, ${scene.facts.grid.join(", ")}]\nprint(maps.flatten(1).max(1).values)`
    );
  }

  return {
    show(next) {
      view = next;
      fitSelection(view);
      layerSlider.limit(view.layers - 1);
      picture.show(sceneUrl(view.key, "input.jpg"), view.grid, view.input_size);
      return Promise.all([load(), loadOverview()]);
    },
  };
}
