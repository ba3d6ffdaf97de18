/* Features: PCA as colours, and how similar every patch is to the one under the pointer. */
Inside.view("features", (root) => {
  "use strict";
  const { el, percent, selection } = Inside;
  let view = null, scene = null, patches = null, similar = null, hovered = null;
  let preset = "paper", flip = false;

  const choose = { onhover: Inside.eachFrame((row, col) => { hovered = [row, col]; update(); }), onleave: Inside.eachFrame(() => { hovered = null; update(); }),
    onpin: (row, col) => { hovered = null; Inside.select({ row, col }); }, onkey: key };
  const colours = new Inside.PatchPicture({ label: "PCA of the patch features as colours. Arrows move the patch, [ and ] change the layer.", ...choose });
  const likeness = new Inside.PatchPicture({ label: "Cosine similarity of every patch to the chosen one. Arrows move the patch.", ...choose });
  const layerSlider = Inside.slider("Layer", { max: 11, value: 11, say: String, oninput: (value) => Inside.select({ layer: value }) });
  const presets = Inside.choice("Preset", window.INSIDE.presets, preset, (value) => { preset = value; Inside.run(root, load); });
  const flipButton = el("button", { type: "button", class: "inside-button", "aria-pressed": "false", text: "Swap foreground and background",
    onclick: () => { flip = !flip; flipButton.setAttribute("aria-pressed", String(flip)); Inside.run(root, load); } });
  const variance = el("div", { class: "inside-bars" });
  const story = el("p", { class: "inside-details", "aria-live": "polite" });
  root.append(
    el("div", { class: "inside-pair" },
      el("figure", {}, colours.node, el("figcaption", {}, el("b", { text: "PCA" }), el("span", { text: "components 1, 2, 3 as red, green, blue" }))),
      el("figure", {}, likeness.node, el("figcaption", {}, el("b", { text: "Similarity" }), el("span", { text: "cosine to the chosen patch" }), Inside.legend("blue-red", "−1", "1")))),
    el("div", { class: "inside-controls" }, layerSlider.node, presets.node, flipButton), story, variance);

  function key(name) {
    if (name === "[" || name === "]") Inside.select({ layer: Math.min(Math.max(selection.layer + (name === "]" ? 1 : -1), 0), view.layers - 1) });
    else if (name === "Escape") Inside.select({ row: null, col: null });
    else return false;
    return true;
  }

  /* Cosine similarity of patch `index` to every patch: directions have length 1. */
  function compare(index) {
    const [P, D] = patches.shapes.directions, f = patches.directions;
    if (!similar || similar.length !== P) similar = new Float32Array(P);
    for (let p = 0, j = 0; p < P; p++) {
      let dot = 0;
      for (let i = index * D, end = i + D; i < end; i++, j++) dot += f[i] * f[j];
      similar[p] = dot;
    }
    return similar;
  }

  function update() {
    if (!scene || !patches) return;
    const [h, w] = scene.facts.grid;
    const [row, col] = hovered ?? (selection.row === null ? [Math.floor(h / 2), Math.floor(w / 2)] : [selection.row, selection.col]);
    compare(row * w + col);
    Inside.paintMap(likeness.overlay, similar, 0, h, w, -1, 1, "blue-red");
    colours.mark(row, col, !hovered); likeness.mark(row, col, !hovered);
    const at = 3 * (row * w + col), score = (i) => scene.scores[at + i].toFixed(2);
    story.textContent = `Patch row ${row}, column ${col}: components ${score(0)}, ${score(1)}, ${score(2)}` +
      (scene.foreground[row * w + col] ? "" : ", background") + `. Its mean similarity to all patches is ${(similar.reduce((a, b) => a + b, 0) / (h * w)).toFixed(2)}. ${scene.facts.note}`;
    root.inside = { key: view.key, layer: scene.facts.layer, preset, flip, row, col, similar, scores: scene.scores, colours: scene.colours };
  }

  async function load() {
    const layer = selection.layer, key = view.key, asked = `${preset} ${flip}`;
    const [pca, directions] = await Promise.all([
      Inside.fetchScene(Inside.sceneUrl(key, `features/${layer}`, { preset, flip })),
      Inside.fetchScene(Inside.sceneUrl(key, `patches/${layer}`))]);
    if (layer !== selection.layer || key !== view.key || asked !== `${preset} ${flip}`) return; // overtaken
    scene = pca; patches = directions;
    const [h, w] = scene.facts.grid;
    layerSlider.set(layer);
    Inside.paintRgb(colours.overlay, scene.colours, h, w);
    variance.replaceChildren(...[...scene.ratio].map((share, i) =>
      el("div", { style: `--share:${share}` }, el("span", { text: `component ${i + 1}` }), el("i"), el("b", { text: percent(share) }))));
    flipButton.hidden = preset === "all-patches";
    update();
  }

  Inside.listen((now, change) => {
    if (!view) return;
    if ("layer" in change) { layerSlider.set(now.layer); Inside.run(root, load); } else update();
  });

  return {
    show(next) {
      view = next;
      const [h, w] = view.grid;
      layerSlider.limit(view.layers - 1);
      if (selection.layer === null || selection.layer >= view.layers) selection.layer = view.layers - 1;
      if (selection.row !== null && (selection.row >= h || selection.col >= w)) Object.assign(selection, { row: null, col: null });
      for (const part of [colours, likeness]) part.show(Inside.sceneUrl(view.key, "input.jpg"), view.grid, view.input_size);
      return load();
    },
  };
});
