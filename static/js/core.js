/* The shared part of all views: fetching scenes, colour maps, one selection, patch canvases.

   A view is a function (element, context) -> { show(view) }; it is registered with
   Inside.view("name", ...) and mounted by the page's component of that name. `context.trigger`
   reports to Python. Colour maps come from Python (window.INSIDE.colours), so that there is one
   table for pictures drawn there and here. */

window.Inside = (() => {
  "use strict";

  // ---------- scenes: one binary answer (safetensors) -> { facts, name: typed array, ... }

  const TYPES = { F32: Float32Array, U8: Uint8Array, I32: Int32Array };

  function parseScene(buffer) {
    const length = Number(new DataView(buffer).getBigUint64(0, true));
    const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 8, length)));
    const scene = { facts: JSON.parse(header.__metadata__.facts), shapes: {} };
    for (const [name, entry] of Object.entries(header)) {
      if (name === "__metadata__") continue;
      const [start, stop] = entry.data_offsets;
      const Type = TYPES[entry.dtype];
      const count = (stop - start) / Type.BYTES_PER_ELEMENT;
      scene[name] = new Type(buffer, 8 + length + start, count);
      scene.shapes[name] = entry.shape;
    }
    return scene;
  }

  const scenes = new Map(); // url -> promise; the newest few
  const KEPT = 10;

  function fetchScene(url) {
    if (scenes.has(url)) {
      const known = scenes.get(url);
      scenes.delete(url);
      scenes.set(url, known); // used again: newest
      return known;
    }
    const answer = fetch(url).then(async (response) => {
      if (!response.ok) throw new Error((await response.text()) || response.statusText);
      return parseScene(await response.arrayBuffer());
    });
    answer.catch(() => scenes.delete(url));
    scenes.set(url, answer);
    while (scenes.size > KEPT) scenes.delete(scenes.keys().next().value);
    return answer;
  }

  const sceneUrl = (key, path, query = {}) => {
    const text = new URLSearchParams(query).toString();
    return `view/${key}/${path}${text ? "?" + text : ""}`;
  };

  // ---------- colours

  const tables = {};
  function colourTable(name) {
    return (tables[name] ??= Uint8Array.from(window.INSIDE.colours[name].flat()));
  }

  const gradient = (name) => {
    const stops = window.INSIDE.colours[name].filter((_, i) => i % 15 === 0);
    return `linear-gradient(to right, ${stops.map((c) => `rgb(${c})`).join(", ")})`;
  };

  /* Paints values [h * w] from offset, mapped from [low, high], one pixel a patch. */
  function paintMap(canvas, values, offset, h, w, low, high, colours = "magma") {
    const image = imageFor(canvas, h, w);
    const table = colourTable(colours);
    const scale = 255 / Math.max(high - low, 1e-12);
    const data = image.data;
    for (let i = 0, j = 0; i < h * w; i++, j += 4) {
      const level = (values[offset + i] - low) * scale;
      const at = 3 * (level < 0 ? 0 : level > 255 ? 255 : Math.round(level));
      data[j] = table[at];
      data[j + 1] = table[at + 1];
      data[j + 2] = table[at + 2];
    }
    canvas.inside.context.putImageData(image, 0, 0);
  }

  /* Paints RGB bytes [h * w * 3], one pixel each. */
  function paintRgb(canvas, rgb, h, w) {
    const image = imageFor(canvas, h, w);
    for (let i = 0, j = 0, k = 0; i < h * w; i++, j += 4, k += 3) {
      image.data[j] = rgb[k];
      image.data[j + 1] = rgb[k + 1];
      image.data[j + 2] = rgb[k + 2];
    }
    canvas.inside.context.putImageData(image, 0, 0);
  }

  function imageFor(canvas, h, w) {
    if (!canvas.inside || canvas.width !== w || canvas.height !== h) {
      canvas.width = w;
      canvas.height = h;
      const context = canvas.getContext("2d");
      const image = context.createImageData(w, h);
      image.data.fill(255);
      canvas.inside = { context, image };
    }
    return canvas.inside.image;
  }

  // ---------- the page's one selection: a patch (null: the class token), a layer, a head

  const listeners = new Set();
  const selection = { row: null, col: null, layer: null, head: null };
  function select(change) {
    Object.assign(selection, change);
    for (const listener of listeners) listener(selection, change);
  }

  // ---------- small helpers

  function el(tag, attributes = {}, ...children) {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
      else if (name === "text") node.textContent = value;
      else if (value !== null && value !== undefined && value !== false)
        node.setAttribute(name, value === true ? "" : value);
    }
    node.append(...children.filter((child) => child !== null));
    return node;
  }

  const percent = (value, digits = 1) => `${(100 * value).toFixed(digits)} %`;

  function maximum(values, offset, count) {
    let high = -Infinity;
    for (let i = offset; i < offset + count; i++) if (values[i] > high) high = values[i];
    return high;
  }

  /* Calls `work` at most once a frame, with the newest arguments. */
  function eachFrame(work) {
    let waiting = null;
    return (...args) => {
      if (!waiting) requestAnimationFrame(() => { const now = waiting; waiting = null; work(...now); });
      waiting = args;
    };
  }

  /* A range input with its label and value: returns { node, input, set(value), limits(max) }. */
  function slider(label, { min = 0, max = 1, step = 1, value = 0, say = String, oninput }) {
    const output = el("output", { class: "inside-value" });
    const input = el("input", { type: "range", min, max, step, value, "aria-label": label });
    const tell = () => { output.textContent = say(Number(input.value)); input.setAttribute("aria-valuetext", output.textContent); };
    input.addEventListener("input", () => { tell(); oninput(Number(input.value)); });
    tell();
    const node = el("label", { class: "inside-slider" }, el("span", { text: label }), input, output);
    return {
      node, input,
      set(next) { input.value = next; tell(); },
      limit(last) { input.max = last; tell(); },
    };
  }

  /* Buttons of which one is pressed. `choices`: [[value, label], ...]. */
  function choice(label, choices, value, onchoose) {
    const node = el("div", { class: "inside-choice", role: "group", "aria-label": label });
    const buttons = choices.map(([key, text]) =>
      el("button", { type: "button", "data-value": key, text, onclick: () => { set(key); onchoose(key); } }));
    const set = (key) => buttons.forEach((b) => b.setAttribute("aria-pressed", String(b.dataset.value === String(key))));
    set(value);
    node.append(...buttons);
    return { node, set };
  }

  const legend = (colours, low, high) =>
    el("div", { class: "inside-legend" },
      el("span", { text: low }), el("i", { style: `background:${gradient(colours)}` }), el("span", { text: high }));

  // ---------- a picture cut into patches: pointer and keyboard choose one

  class PatchPicture {
    /* options: label, onhover(row, col), onleave(), onpin(row, col), onkey(key) */
    constructor(options) {
      this.options = options;
      this.grid = [1, 1];
      this.picture = el("img", { alt: "", draggable: "false" });
      this.overlay = el("canvas", { class: "inside-overlay" });
      this.marker = el("div", { class: "inside-marker", hidden: true });
      this.node = el("div", { class: "inside-picture", tabindex: "0", role: "application", "aria-label": options.label,
        "aria-roledescription": "picture in patches" }, this.picture, this.overlay, this.marker);
      this.node.addEventListener("pointermove", (event) => this.options.onhover?.(...this.patchUnder(event)));
      this.node.addEventListener("pointerleave", () => this.options.onleave?.());
      this.node.addEventListener("click", (event) => this.options.onpin?.(...this.patchUnder(event)));
      this.node.addEventListener("keydown", (event) => this.key(event));
    }

    show(url, grid, size) {
      this.grid = grid;
      if (this.picture.getAttribute("src") !== url) this.picture.src = url;
      this.node.style.aspectRatio = `${size[0]} / ${size[1]}`;
    }

    patchUnder(event) {
      const box = this.node.getBoundingClientRect();
      const [h, w] = this.grid;
      const clamp = (value, count) => Math.min(Math.max(Math.floor(value), 0), count - 1);
      return [clamp(((event.clientY - box.top) / box.height) * h, h), clamp(((event.clientX - box.left) / box.width) * w, w)];
    }

    mark(row, col, pinned) {
      this.marker.hidden = row === null;
      if (row === null) return;
      const [h, w] = this.grid;
      const style = this.marker.style;
      style.left = `${(100 * col) / w}%`;
      style.top = `${(100 * row) / h}%`;
      style.width = `${100 / w}%`;
      style.height = `${100 / h}%`;
      this.marker.classList.toggle("pinned", Boolean(pinned));
    }

    key(event) {
      const [h, w] = this.grid;
      const row = selection.row ?? Math.floor(h / 2), col = selection.col ?? Math.floor(w / 2);
      const moves = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
      if (moves[event.key]) {
        const [dy, dx] = moves[event.key];
        this.options.onpin?.(Math.min(Math.max(row + dy, 0), h - 1), Math.min(Math.max(col + dx, 0), w - 1));
      } else if (!this.options.onkey?.(event.key)) return;
      event.preventDefault();
    }
  }

  // ---------- views

  const makers = {};
  const mounted = {};

  function mount(name, element, props, watch, trigger) {
    const root = element.querySelector(".inside-view");
    const view = makers[name](root, { trigger });
    mounted[name] = { root, view, shown: null };
    const refresh = () => {
      const wanted = props.view;
      root.classList.toggle("waiting", !wanted);
      if (!wanted || JSON.stringify(wanted) === mounted[name].shown) return;
      mounted[name].shown = JSON.stringify(wanted);
      root.removeAttribute("data-ready");
      run(root, () => view.show(wanted));
    };
    watch("view", refresh);
    refresh();
  }

  /* Runs the work of a view; says on the view what went wrong, and keeps what it shows. */
  async function run(root, work) {
    try {
      await work();
      root.querySelector(":scope > .inside-problem")?.remove();
      root.setAttribute("data-ready", "");
    } catch (error) {
      root.querySelector(":scope > .inside-problem")?.remove();
      root.prepend(el("p", { class: "inside-problem", role: "alert", text: error.message || "The server did not answer." }));
    }
  }

  return {
    view: (name, maker) => { makers[name] = maker; },
    mount, run, mounted, fetchScene, sceneUrl, parseScene, paintMap, paintRgb, colourTable,
    selection, select, listen: (listener) => listeners.add(listener),
    el, percent, maximum, eachFrame, slider, choice, legend, PatchPicture,
  };
})();
