/* Attention: the queries and keys of one layer are here, so any patch's row is a look-up away.

     row[a, n] = softmax over n of (q[a, query] . k[a, n]) / sqrt(d)                              */
Inside.view("attention", (root) => {
  "use strict";
  const { el, percent, selection } = Inside;
  let view = null, scene = null, rows = null, hovered = null, strength = 0.75;

  const picture = new Inside.PatchPicture({
    label: "Picture in patches. Arrows move the patch, C is the class token, [ and ] change the layer, 1 to 9 the head.",
    onhover: Inside.eachFrame((row, col) => { hovered = [row, col]; update(); }),
    onleave: Inside.eachFrame(() => { hovered = null; update(); }),
    onpin: (row, col) => { hovered = null; Inside.select({ row, col }); },
    onkey: key,
  });
  const layerSlider = Inside.slider("Layer", { max: 11, value: 11, say: (value) => `${value}`, oninput: (value) => Inside.select({ layer: value }) });
  const strengthSlider = Inside.slider("Overlay", { max: 1, step: 0.05, value: strength, say: (v) => `${Math.round(100 * v)} %`,
    oninput: (value) => { strength = value; picture.overlay.style.opacity = value; } });
  const classToken = el("button", { type: "button", class: "inside-button", text: "Class token", onclick: () => Inside.select({ row: null, col: null }) });
  const story = el("p", { class: "inside-details", "aria-live": "polite" });
  const legendPlace = el("div");
  const heads = el("div", { class: "inside-heads" });
  let cards = [];
  root.append(
    el("div", { class: "inside-columns" },
      el("div", { class: "inside-left" }, picture.node, legendPlace, story,
        el("div", { class: "inside-controls" }, layerSlider.node, strengthSlider.node, classToken)),
      heads));
  picture.overlay.style.opacity = strength;

  function key(name) {
    if (name === "c" || name === "C" || name === "Escape") Inside.select({ row: null, col: null });
    else if (name === "[" || name === "]") Inside.select({ layer: Math.min(Math.max(selection.layer + (name === "]" ? 1 : -1), 0), view.layers - 1) });
    else if (/^[1-9]$/.test(name) && Number(name) <= cards.length) Inside.select({ head: Number(name) - 1 });
    else if (name === "0") Inside.select({ head: null });
    else return false;
    return true;
  }

  /* What token `query` attends to in every head: Float32Array [A * N]. */
  function attend(query) {
    const [A, N, d] = scene.shapes.keys, q = scene.queries, k = scene.keys, scale = scene.facts.scale;
    if (!rows || rows.length !== A * N) rows = new Float32Array(A * N);
    for (let a = 0; a < A; a++) {
      const base = a * N * d, at = base + query * d, out = a * N;
      let high = -Infinity;
      for (let n = 0, j = base; n < N; n++) {
        let dot = 0;
        for (let i = 0; i < d; i++, j++) dot += q[at + i] * k[j];
        dot *= scale;
        rows[out + n] = dot;
        if (dot > high) high = dot;
      }
      let total = 0;
      for (let n = out; n < out + N; n++) total += rows[n] = Math.exp(rows[n] - high);
      for (let n = out; n < out + N; n++) rows[n] /= total;
    }
    return rows;
  }

  const firstPatch = () => 1 + scene.facts.registers;

  function update() {
    if (!scene) return;
    const [row, col] = hovered ?? [selection.row, selection.col];
    const [h, w] = scene.facts.grid, [A, N] = scene.shapes.keys, first = firstPatch();
    const query = row === null ? 0 : first + row * w + col;
    attend(query);
    for (let a = 0; a < A; a++) {
      const high = Inside.maximum(rows, a * N + first, h * w);
      Inside.paintMap(cards[a].canvas, rows, a * N + first, h, w, 0, high);
      cards[a].numbers.textContent = `max ${percent(high)} · class ${percent(rows[a * N])}`;
    }
    const [map, offset] = selection.head === null ? [mean(A, N), first] : [rows, selection.head * N + first];
    const high = Inside.maximum(map, offset, h * w);
    Inside.paintMap(picture.overlay, map, offset, h, w, 0, high);
    picture.mark(row, col, !hovered);
    const who = row === null ? "The class token" : `Patch row ${row}, column ${col}`;
    const which = selection.head === null ? `the mean of ${A} heads` : `head ${selection.head + 1}`;
    story.textContent = `${who} in layer ${scene.facts.layer}, ${which}: ${percent(sum(map, offset, h * w))} goes to patches, ` +
      `${percent(map[offset - first])} to the class token` + (scene.facts.registers ? `, ${percent(sum(map, offset - scene.facts.registers, scene.facts.registers))} to registers.` : ".");
    legendPlace.replaceChildren(Inside.legend("magma", "0", percent(high, 2)));
    root.inside = { key: view.key, layer: scene.facts.layer, row, col, head: selection.head, query, rows, tokens: N };
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
  const sum = (values, offset, count) => values.subarray(offset, offset + count).reduce((a, b) => a + b, 0);

  function build(A) {
    cards = Array.from({ length: A }, (_, a) => {
      const canvas = el("canvas"), numbers = el("small");
      const node = el("button", { type: "button", class: "inside-head", "aria-pressed": "false",
        onclick: () => Inside.select({ head: selection.head === a ? null : a }) }, canvas, el("span", {}, el("b", { text: `Head ${a + 1}` }), numbers));
      return { canvas, numbers, node };
    });
    heads.replaceChildren(...cards.map((card) => card.node));
  }

  async function load() {
    const wanted = selection.layer, key = view.key;
    const next = await Inside.fetchScene(Inside.sceneUrl(key, `attention/${wanted}`));
    if (wanted !== selection.layer || key !== view.key) return; // overtaken
    scene = next;
    if (cards.length !== scene.shapes.keys[0]) build(scene.shapes.keys[0]);
    heads.style.setProperty("--aspect", `${scene.facts.grid[1]} / ${scene.facts.grid[0]}`);
    layerSlider.set(wanted);
    update();
    for (const near of [wanted - 1, wanted + 1]) // so that the next step is instant
      if (near >= 0 && near < view.layers) Inside.fetchScene(Inside.sceneUrl(key, `attention/${near}`)).catch(() => {});
  }

  Inside.listen((now, change) => {
    if (!view) return;
    cards.forEach((card, a) => card.node.setAttribute("aria-pressed", String(a === now.head)));
    if ("layer" in change) { layerSlider.set(now.layer); Inside.run(root, load); } else update();
  });

  return {
    show(next) {
      view = next;
      const [h, w] = view.grid;
      layerSlider.limit(view.layers - 1);
      if (selection.layer === null || selection.layer >= view.layers) selection.layer = view.layers - 1;
      if (selection.row !== null && (selection.row >= h || selection.col >= w)) Object.assign(selection, { row: null, col: null });
      if (selection.head !== null && selection.head >= view.heads) selection.head = null;
      picture.show(Inside.sceneUrl(view.key, "input.jpg"), view.grid, view.input_size);
      return load();
    },
  };
});
