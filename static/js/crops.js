/* Crops: the boxes on the picture, every crop beside it with what was done to it. */
Inside.view("crops", (root) => {
  "use strict";
  const { el, percent } = Inside;
  const SVG = "http://www.w3.org/2000/svg";
  let view = null, blur = "as run";

  const picture = el("img", { alt: "The picture" });
  const boxes = document.createElementNS(SVG, "svg");
  const canvas = el("div", { class: "inside-picture plain" }, picture, boxes);
  const details = el("p", { class: "inside-details", "aria-live": "polite" });
  const list = el("div", { class: "inside-crops" });
  const blurChoice = Inside.choice("Blur", [["as run", "Blur as it runs"], ["as written", "as it is written"]], blur,
    (value) => { blur = value; Inside.run(root, draw); });
  root.append(
    el("div", { class: "inside-columns" },
      el("div", { class: "inside-left" }, canvas, el("div", { class: "inside-controls" }, blurChoice.node), details),
      list));

  const OPERATIONS = {
    brightness: (p) => `brightness × ${p.factor.toFixed(2)}`,
    contrast: (p) => `contrast × ${p.factor.toFixed(2)}`,
    saturation: (p) => `saturation × ${p.factor.toFixed(2)}`,
    hue: (p) => `hue ${p.shift >= 0 ? "+" : "−"}${Math.abs(360 * p.shift).toFixed(0)}°`,
    grey: () => "grey",
    blur: (p) => `blur σ ${p.sigma.toFixed(2)} px`,
    solarize: () => "solarise",
  };
  const said = (operation) => (OPERATIONS[operation.name] ?? (() => operation.name))(operation);

  function paint(pixels, size) {
    const node = el("canvas", { class: "smooth" });
    Inside.paintRgb(node, pixels, size, size);
    return node;
  }

  function highlight(index, scene) {
    boxes.classList.toggle("chosen", index !== null);
    [...boxes.children].forEach((box, i) => box.classList.toggle("lit", i === index));
    [...list.children].forEach((card, i) => card.classList.toggle("lit", i === index));
    details.textContent = index === null ? "" : describe(scene, index);
  }

  function describe(scene, index) {
    const crop = scene.facts.crops[index], n = scene.facts.crops.length;
    const overlaps = [0, 1].filter((g) => g !== index)
      .map((g) => `${scene.overlaps[index * n + g].toFixed(0)} % of the smaller box is shared with global ${g + 1}`);
    const [x0, y0, x1, y1] = crop.box;
    return `${crop.kind} ${crop.index + 1}: x ${x0}–${x1}, y ${y0}–${y1} px; ${overlaps.join("; ")}.`;
  }

  async function draw() {
    const scene = await Inside.fetchScene(Inside.sceneUrl(view.key, "crops", { seed: view.seed, blur }));
    const { picture_size: [W, H], crops, colours } = scene.facts;
    picture.src = Inside.sceneUrl(view.key, "source.jpg");
    canvas.style.aspectRatio = `${W} / ${H}`;
    boxes.setAttribute("viewBox", `0 0 ${W} ${H}`);
    boxes.replaceChildren(); list.replaceChildren();
    crops.forEach((crop, i) => {
      const [x0, y0, x1, y1] = crop.box;
      const box = document.createElementNS(SVG, "rect");
      const place = { x: x0, y: y0, width: x1 - x0, height: y1 - y0, stroke: `rgb(${colours[i]})` };
      for (const [name, value] of Object.entries(place)) box.setAttribute(name, value);
      box.classList.add(crop.kind);
      boxes.append(box);

      const applied = [...(crop.flip ? ["flipped"] : []), ...crop.operations.map(said)];
      const card = el("figure", { class: `inside-crop ${crop.kind}`, tabindex: "0", style: `--crop:rgb(${colours[i]})` },
        paint(scene[`pixels.${i}`], crop.size),
        el("figcaption", {},
          el("b", { text: `${crop.kind} ${crop.index + 1}` }),
          el("span", { text: `${percent(crop.area_fraction, 0)} of the area, ${crop.size} px` }),
          el("small", { text: applied.length ? applied.join(", ") : "nothing else" })));
      for (const on of ["pointerenter", "focus"]) card.addEventListener(on, () => highlight(i, scene));
      for (const off of ["pointerleave", "blur"]) card.addEventListener(off, () => highlight(null));
      list.append(card);
    });
    root.inside = { key: view.key, seed: view.seed, blur, crops };
  }

  return { show: (next) => { view = next; return draw(); } };
});
