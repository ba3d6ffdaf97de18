/* Masks: what iBOT hides from the student, block by block. */
Inside.view("masks", (root) => {
  "use strict";
  const { el } = Inside;
  let view = null, scene = null, ratio = 0.3, shown = 0;

  const pictures = { student: el("canvas", { class: "smooth" }), teacher: el("canvas", { class: "smooth" }), random: el("canvas", { class: "smooth" }) };
  const story = el("p", { class: "inside-details", "aria-live": "polite" });
  const batch = el("div", { class: "inside-batch" });
  const ratioSlider = Inside.slider("Masked share", { min: 0, max: 0.5, step: 0.01, value: ratio,
    say: (value) => `${Math.round(100 * value)} %`, oninput: (value) => { ratio = value; later(); } });
  const blockSlider = Inside.slider("Blocks drawn", { min: 0, max: 1, value: 0, say: (value) => `${value} of ${scene?.facts.blocks.length ?? 0}`,
    oninput: (value) => { shown = value; paint(); } });
  const figure = (canvas, title, text) => el("figure", { class: "inside-mask" }, canvas, el("figcaption", {}, el("b", { text: title }), el("span", { text })));
  root.append(
    el("div", { class: "inside-controls" }, ratioSlider.node, blockSlider.node),
    el("div", { class: "inside-row" },
      figure(pictures.teacher, "The teacher sees", "every patch of the crop"),
      figure(pictures.student, "The student sees", "the mask token where it is striped"),
      figure(pictures.random, "Random masking", "as many patches, to compare")),
    story,
    el("h4", { text: "A batch of 8 pictures, 16 global crops: exactly half of them are masked" }), batch);

  let timer = null;
  const later = () => { clearTimeout(timer); timer = setTimeout(() => Inside.run(root, draw), 60); };

  /* The crop with hidden patches striped in the accent's grey. */
  function paintMasked(canvas, hidden) {
    const [h, w] = scene.facts.grid, size = scene.shapes.pixels[0], patch = size / h;
    const rgb = scene.pixels.slice();
    for (let y = 0; y < size; y++) for (let x = 0; x < size; x++) {
      if (!hidden[Math.floor(y / patch) * w + Math.floor(x / patch)]) continue;
      rgb.fill((x + y) % 7 < 2 ? 150 : 110, 3 * (y * size + x), 3 * (y * size + x) + 3);
    }
    Inside.paintRgb(canvas, rgb, size, size);
  }

  function firstBlocks(count) {
    const [h, w] = scene.facts.grid, hidden = new Uint8Array(h * w);
    for (const [top, left, height, width] of scene.facts.blocks.slice(0, count))
      for (let r = top; r < top + height; r++) hidden.fill(1, r * w + left, r * w + left + width);
    return hidden;
  }

  function paint() {
    const { blocks, target, achieved, rejected, grid: [h, w] } = scene.facts;
    const hidden = firstBlocks(shown);
    paintMasked(pictures.student, hidden);
    const block = blocks[shown - 1];
    const count = hidden.reduce((a, b) => a + b, 0);
    const met = scene.histogram[target], draws = scene.histogram.reduce((a, b) => a + b, 0);
    story.textContent = (block ? `Block ${shown} of ${blocks.length}: ${block[2]} × ${block[3]} patches, ${block[4]} of them new. ` : "") +
      `${count} of ${h * w} patches hidden; ${target} wanted, ${achieved} reached, ${rejected} tries found no place. ` +
      `In ${draws} draws the wanted number was met exactly ${met} times, and never exceeded.`;
    root.inside = { key: view.key, seed: view.seed, ratio, shown, count, achieved, target };
  }

  async function draw() {
    const next = await Inside.fetchScene(Inside.sceneUrl(view.key, "masks", { seed: view.seed, ratio }));
    scene = next;
    const [h, w] = scene.facts.grid, size = scene.shapes.pixels[0];
    shown = scene.facts.blocks.length;
    blockSlider.limit(shown); blockSlider.set(shown);
    Inside.paintRgb(pictures.teacher, scene.pixels, size, size);
    paintMasked(pictures.random, scene.random_mask);
    paint();
    batch.replaceChildren(...scene.facts.batch_targets.map((target, i) => {
      const canvas = el("canvas"), P = h * w;
      const count = scene.batch.subarray(i * P, (i + 1) * P).reduce((a, b) => a + b, 0);
      Inside.paintMap(canvas, scene.batch, i * P, h, w, 0, 1.6);
      return el("figure", {}, canvas, el("figcaption", { text: target ? `${Math.round((100 * count) / P)} %` : "whole" }));
    }));
  }

  return { show: (next) => { view = next; return draw(); } };
});
