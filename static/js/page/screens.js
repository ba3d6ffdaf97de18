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
  const KEPT = 24;

  function fetchScene(url) {
    if (scenes.has(url)) {
      const known = scenes.get(url);
      scenes.delete(url);
      scenes.set(url, known); // used again: newest
      return known;
    }
    const answer = fetch(url).then(async (response) => {
      if (!response.ok) throw new Error((await response.text()) || "The server did not answer.");
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

  /* Black or white, whichever is easier to read on a colour (relative luminance of WCAG 2). */
  function inkOn(rgb) {
    const [r, g, b] = rgb.map((byte) =>
      byte / 255 <= 0.04045 ? byte / 255 / 12.92 : ((byte / 255 + 0.055) / 1.055) ** 2.4,
    );
    return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.179 ? "#000" : "#fff";
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

  /* The same into an <img>, for maps that do not change: every canvas is a layer of its own for the
     browser, and a hundred of them make each frame slow. */
  const easel = document.createElement("canvas");
  function printMap(image, ...map) {
    paintMap(easel, ...map);
    image.src = easel.toDataURL();
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
    linked = null;
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
      if (!waiting)
        requestAnimationFrame(() => {
          const now = waiting;
          waiting = null;
          work(...now);
        });
      waiting = args;
    };
  }

  /* Calls `work` at most every `ms`, with the newest arguments: for words that follow the pointer,
     which nobody reads sixty times a second. `.now(...)` calls it at once. */
  function seldom(work, ms = 100) {
    let last = -Infinity,
      timer = null;
    const now = (...args) => {
      clearTimeout(timer);
      last = performance.now();
      work(...args);
    };
    const soon = (...args) => {
      const wait = last + ms - performance.now();
      if (wait <= 0) {
        now(...args);
        return;
      }
      clearTimeout(timer);
      timer = setTimeout(now, wait, ...args);
    };
    return Object.assign(soon, { now });
  }

  /* A range input with its label and value: returns { node, input, set(value), limits(max) }. */
  function slider(label, { min = 0, max = 1, step = 1, value = 0, say = String, oninput }) {
    const output = el("output", { class: "inside-value" });
    const input = el("input", { type: "range", min, max, step, value, "aria-label": label });
    const tell = () => {
      output.textContent = say(Number(input.value));
      input.setAttribute("aria-valuetext", output.textContent);
    };
    input.addEventListener("input", () => {
      tell();
      oninput(Number(input.value));
    });
    tell();
    const node = el(
      "label",
      { class: "inside-slider" },
      el("span", { text: label }),
      input,
      output,
    );
    return {
      node,
      input,
      set(next) {
        input.value = next;
        tell();
      },
      limit(last) {
        input.max = last;
        tell();
      },
    };
  }

  /* Buttons of which one is pressed. `choices`: [[value, label], ...]. */
  function choice(label, choices, value, onchoose) {
    const node = el("div", { class: "inside-choice", role: "group", "aria-label": label });
    const buttons = choices.map(([key, text]) =>
      el("button", {
        type: "button",
        "data-value": key,
        text,
        onclick: () => {
          set(key);
          onchoose(key);
        },
      }),
    );
    const set = (key) =>
      buttons.forEach((b) =>
        b.setAttribute("aria-pressed", String(b.dataset.value === String(key))),
      );
    set(value);
    node.append(...buttons);
    return { node, set };
  }

  const legend = (colours, low, high) =>
    el(
      "div",
      { class: "inside-legend" },
      el("span", { text: low }),
      el("i", { style: `background:${gradient(colours)}` }),
      el("span", { text: high }),
    );

  /* Bars: `labels` one a place, `series` [{ name, colour, counts }] drawn as shares of their sums. */
  function histogram({ title, labels, series, ends }) {
    const n = labels.length,
      sums = series.map(({ counts }) => counts.reduce((a, b) => a + b, 0) || 1);
    const top = Math.max(
      ...series.flatMap(({ counts }, s) => [...counts].map((count) => count / sums[s])),
      1e-9,
    );
    const share = (s, i) => series[s].counts[i] / sums[s];
    const columns = labels.map((_, i) =>
      el(
        "span",
        {},
        ...series.map(({ colour }, s) =>
          el("i", { style: `height:${(100 * share(s, i)) / top}%;background:${colour}` }),
        ),
      ),
    );
    const say = (i) =>
      [
        labels[i],
        ...series.map(
          ({ name, counts }, s) => `${name}${counts[i]} of ${sums[s]} (${percent(share(s, i))})`,
        ),
      ].join("\n");
    const plot = el(
      "div",
      {
        class: "inside-histogram",
        role: "img",
        tabindex: "0",
        "aria-label": `${title}. ${labels
          .map((_, i) => say(i).replaceAll("\n", ", "))
          .filter((_, i) => series.some(({ counts }) => counts[i]))
          .join("; ")}`,
      },
      el("div", { class: "bars" }, ...columns),
    );
    plot.addEventListener("pointermove", (event) => {
      const box = plot.getBoundingClientRect();
      tip(
        plot,
        event,
        say(Math.min(Math.max(Math.floor(((event.clientX - box.left) / box.width) * n), 0), n - 1)),
      );
    });
    plot.addEventListener("pointerleave", (event) => tip(plot, event, null));
    return el(
      "figure",
      { class: "inside-chart" },
      el("figcaption", { text: title }),
      plot,
      el(
        "div",
        { class: ends?.length === n ? "ends each" : "ends" },
        ...(ends ?? [labels[0], labels[n - 1]]).map((text) => el("span", { text })),
      ),
    );
  }

  // ---------- a picture cut into patches: pointer and keyboard choose one

  class PatchPicture {
    /* options: label, onhover(row, col), onleave(), onpin(row, col), onkey(key), say(row, col) -> text */
    constructor(options) {
      this.options = options;
      this.grid = [1, 1];
      this.picture = el("img", { alt: "", draggable: "false" });
      this.overlay = el("canvas", { class: "inside-overlay" });
      this.marker = el("div", { class: "inside-marker", hidden: true });
      this.node = el(
        "div",
        {
          class: "inside-picture",
          tabindex: "0",
          role: "application",
          "aria-label": options.label,
          "aria-roledescription": "picture in patches",
        },
        this.picture,
        this.overlay,
        this.marker,
      );
      this.node.addEventListener("pointermove", (event) => this.hover(event));
      this.node.addEventListener("pointerleave", (event) => {
        this.options.onleave?.();
        this.tell(event, null, null);
      });
      this.node.addEventListener("click", (event) =>
        this.options.onpin?.(...this.patchUnder(event)),
      );
      this.node.addEventListener("keydown", (event) => this.key(event));
    }

    show(url, grid, size) {
      this.grid = grid;
      if (this.picture.getAttribute("src") !== url) this.picture.src = url;
      this.node.style.aspectRatio = `${size[0]} / ${size[1]}`;
    }

    hover(event) {
      const box = this.node.getBoundingClientRect(); // measured before anything is written
      const [row, col] = this.patchUnder(event, box);
      this.options.onhover?.(row, col);
      this.tell(event, row, col, box);
    }

    /* A view answers hovering once a frame; the words wait for it, or they would tell old numbers. */
    tell = eachFrame((event, row, col, box) =>
      tip(this.node, event, row === null ? null : (this.options.say?.(row, col) ?? null), box),
    );

    patchUnder(event, box = this.node.getBoundingClientRect()) {
      const [h, w] = this.grid;
      const clamp = (value, count) => Math.min(Math.max(Math.floor(value), 0), count - 1);
      return [
        clamp(((event.clientY - box.top) / box.height) * h, h),
        clamp(((event.clientX - box.left) / box.width) * w, w),
      ];
    }

    mark(row, col, pinned) {
      this.marker.hidden = row === null;
      if (row === null) return;
      const [h, w] = this.grid;
      const style = this.marker.style; // moved by a transform: nothing is laid out or painted again
      style.width = `${100 / w}%`;
      style.height = `${100 / h}%`;
      style.transform = `translate(${100 * col}%, ${100 * row}%)`;
      this.marker.classList.toggle("pinned", Boolean(pinned));
    }

    key(event) {
      const [h, w] = this.grid;
      const row = selection.row ?? Math.floor(h / 2),
        col = selection.col ?? Math.floor(w / 2);
      const moves = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
      if (moves[event.key]) {
        const [dy, dx] = moves[event.key];
        this.options.onpin?.(
          Math.min(Math.max(row + dy, 0), h - 1),
          Math.min(Math.max(col + dx, 0), w - 1),
        );
      } else if (!this.options.onkey?.(event.key)) return;
      event.preventDefault();
    }
  }

  // ---------- tooltips and live numbers

  /* Words beside the pointer, inside the node that is pointed at; null hides them. */
  function tip(node, event, text, frame = text === null ? null : node.getBoundingClientRect()) {
    let box = node.querySelector(":scope > .inside-tip");
    if (!box) node.append((box = el("div", { class: "inside-tip", hidden: true })));
    box.hidden = text === null;
    if (text === null) return;
    if (box.textContent !== text) box.textContent = text;
    const x = event.clientX - frame.left,
      y = event.clientY - frame.top;
    const left = x > frame.width / 2 ? `calc(${x - 14}px - 100%)` : `${x + 14}px`;
    const top = y > frame.height / 2 ? `calc(${y - 14}px - 100%)` : `${y + 14}px`;
    box.style.transform = `translate(${left}, ${top})`;
  }

  /* Fills <span class="live-NAME"> in a screen's lesson with the user's own numbers. */
  const told = {};
  function live(screen, numbers, tries = 20) {
    told[screen] = numbers;
    const places = document.querySelectorAll(`#lesson-${screen} [class*="live-"]`);
    if (!places.length && tries) {
      // the lesson may come after its view
      setTimeout(() => {
        if (told[screen] === numbers) live(screen, numbers, tries - 1);
      }, 250);
      return;
    }
    for (const node of places) {
      const name = [...node.classList]
        .find((one) => one.startsWith("live-"))
        ?.slice("live-".length);
      if (name in numbers) node.textContent = numbers[name];
    }
  }

  // ---------- take it along: the picture, the numbers, the link, the code

  function download(name, href) {
    const link = el("a", { href, download: name });
    document.body.append(link);
    link.click();
    link.remove();
  }

  function downloadText(name, text, type = "text/csv") {
    const href = URL.createObjectURL(new Blob([text], { type }));
    download(name, href);
    setTimeout(() => URL.revokeObjectURL(href), 10000);
  }

  /* A row of buttons. `offers`: png() -> canvas, npz() -> url, csv() -> text, python() -> text. */
  function takeAlong(screen, offers) {
    const code = el("pre", {
      class: "inside-code",
      hidden: true,
      tabindex: "0",
      "aria-label": "The same in Python",
    });
    const button = (text, title, onclick) =>
      el("button", { type: "button", class: "inside-button", text, title, onclick });
    const row = el("div", { class: "inside-take", role: "group", "aria-label": "Take it along" });
    if (offers.png)
      row.append(
        button("PNG", "What is drawn, as a picture", () =>
          offers.png().toBlob((blob) => {
            const href = URL.createObjectURL(blob);
            download(`${screen}.png`, href);
            setTimeout(() => URL.revokeObjectURL(href), 10000);
          }),
        ),
      );
    if (offers.npz)
      row.append(
        button("NPZ", "The numbers, for numpy.load", () => download(`${screen}.npz`, offers.npz())),
      );
    if (offers.csv)
      row.append(
        button("CSV", "The numbers, as a table", async () =>
          downloadText(`${screen}.csv`, await offers.csv()),
        ),
      );
    const linkButton = button("Link", "Copies a link to this state", async () => {
      writeLink();
      try {
        await navigator.clipboard.writeText(location.href);
        linkButton.textContent = "Copied";
      } catch {
        linkButton.textContent = "In the address bar";
      }
      setTimeout(() => {
        linkButton.textContent = "Link";
      }, 1600);
    });
    row.append(linkButton);
    if (offers.python) {
      const python = button("Python", "The lines that compute the same", () => {
        code.hidden = !code.hidden;
        code.textContent = offers.python();
        python.setAttribute("aria-expanded", String(!code.hidden));
      });
      row.append(python);
    }
    return {
      node: el("div", {}, row, code),
      refresh() {
        if (!code.hidden) code.textContent = offers.python();
      },
    };
  }

  /* A canvas [w * factor, h * factor] with a picture under an overlay: what a PNG of a view holds. */
  function flatten(image, overlay, opacity, width = 1036) {
    const canvas = el("canvas", {
      width,
      height: Math.round((width * overlay.height) / overlay.width),
    });
    const pen = canvas.getContext("2d");
    pen.drawImage(image, 0, 0, canvas.width, canvas.height);
    pen.imageSmoothingEnabled = false;
    pen.globalAlpha = opacity;
    pen.drawImage(overlay, 0, 0, canvas.width, canvas.height);
    return canvas;
  }

  /* The Python lines that open what this page has open. */
  function openInPython(view) {
    const file = view.sample ? `static/samples/${view.sample}` : "picture.jpg";
    return `from dino_core import fit_to_patches, inspect, load_backbone, open_picture, to_tensor

backbone = load_backbone("${view.model}")
picture = open_picture("${file}")
fitted = fit_to_patches(picture, ${view.patch_size}, ${view.short_side})
seen = inspect(backbone.vit, to_tensor(fitted.picture))`;
  }

  /* Brings the page's selection into the range of a picture and model. What a link selects may not
     fit the sample that greets, but the picture that the link asks for, which comes a little later. */
  let linked = null; // what the link selects, until its picture has come
  function fitSelection(view) {
    const [h, w] = view.grid;
    if (linked) Object.assign(selection, linked);
    if (selection.layer === null || selection.layer >= view.layers)
      selection.layer = view.layers - 1;
    if (selection.row !== null && (selection.row >= h || selection.col >= w))
      Object.assign(selection, { row: null, col: null });
    if (selection.head !== null && selection.head >= view.heads) selection.head = null;
  }

  // ---------- the link: everything that brings this state back, behind the # of the address

  const LINKED = ["screen", "sample", "model", "size", "seed", "layer", "head", "row", "col"];

  function readLink() {
    const query = new URLSearchParams(location.hash.slice(1)),
      state = {};
    for (const name of LINKED) {
      if (!query.has(name)) continue;
      const text = query.get(name);
      state[name] = ["screen", "sample", "model"].includes(name) ? text : Number.parseInt(text, 10);
    }
    return state;
  }

  // What single screens want to find again (a ratio, a pinned crop): texts under names of their own.
  const opened = new URLSearchParams(location.hash.slice(1));
  const extras = Object.fromEntries([...opened].filter(([name]) => !LINKED.includes(name)));
  const kept = (name) => opened.get(name);
  function keep(name, value) {
    if (value === null || value === undefined) delete extras[name];
    else extras[name] = value;
    writeLinkSoon();
  }

  let answered = false; // the server has read the link: from now on it may change
  function writeLink() {
    if (!answered || !open) return;
    const state = { screen: open, ...page, ...selection },
      query = new URLSearchParams();
    for (const name of LINKED)
      if (state[name] !== null && state[name] !== undefined && state[name] !== "")
        query.set(name, state[name]);
    for (const [name, value] of Object.entries(extras)) query.set(name, value);
    history.replaceState(null, "", `#${query}`);
  }
  let linkTimer = null;
  const writeLinkSoon = () => {
    clearTimeout(linkTimer);
    linkTimer = setTimeout(writeLink, 300);
  };
  listeners.add(writeLinkSoon);

  // ---------- views and screens

  const makers = {},
    mounted = {};
  const page = { sample: null, model: null, size: null, seed: null }; // what the rail says
  let open = null; // the screen that is shown
  let wanted = null; // the newest `view` prop

  function mount(name, element, props, watch, trigger) {
    const place = element.querySelector(".inside-view");
    const part = staged.has(name) ? mounted[name] : make(name, place);
    part.trigger = trigger;
    part.tell = (value) => {
      props.value = value;
      trigger("select");
    };
    if (name === "strip") start();
    if (staged.has(name)) leaveStage(name, place);
    const refresh = () => {
      if (!props.view) return;
      wanted = props.view;
      Object.assign(page, {
        sample: wanted.sample,
        model: wanted.model,
        size: wanted.size,
        seed: wanted.seed,
      });
      part.wanted = props.view;
      if (open) writeLink(); // at once: a reloaded page must not ask for the picture before this one
      if (name === "strip" || name === open) bring(name);
      later();
    };
    watch("view", refresh);
    refresh();
  }

  function make(name, root) {
    root.dataset.view = name;
    const part = { root, shown: null, trigger() {}, tell() {} };
    // `tell(value)` hands a value to Python, as the component's own.
    const context = {
      trigger: (...event) => part.trigger(...event),
      tell: (value) => part.tell(value),
    };
    part.view = makers[name](root, context);
    return (mounted[name] = part);
  }

  /* A newcomer need not wait for Gradio: the strip and the first screen are drawn on a stage above
     the page, and move to their places as soon as Gradio has made those. */
  const staged = new Map(); // name -> its place, null until it is there
  function perform(stage, view) {
    wanted = view;
    open = firstScreen();
    selectFromLink();
    for (const root of stage.querySelectorAll(".inside-view")) {
      const name = root.dataset.view;
      staged.set(name, null);
      make(name, root).wanted = view;
      bring(name);
    }
    markTab();
  }

  function leaveStage(name, place) {
    staged.set(name, place);
    if ([...staged.values()].includes(null)) return;
    const focused = document.activeElement;
    openScreen(open);
    for (const [one, there] of staged) there.replaceWith(mounted[one].root);
    staged.clear();
    document.getElementById("inside-stage").remove();
    focused?.focus({ preventScroll: true });
  }

  /* The strip and the screen that opens come first, and have the browser for themselves: the other
     screens are not even read before that one is painted, or could not be. */
  let painted;
  const afterFirst = new Promise((resolve) => {
    painted = resolve;
    setTimeout(resolve, 4000);
  });
  const turn = (name) =>
    name === "strip" || name === firstScreen() ? Promise.resolve() : afterFirst;

  function firstScreen() {
    const { screen } = readLink();
    return window.INSIDE.screens.some(([name]) => name === screen) ? screen : "attention";
  }

  function selectFromLink() {
    const { layer, head, row, col } = readLink();
    const natural = (value) => (Number.isInteger(value) && value >= 0 ? value : null);
    const asked = {
      layer: natural(layer),
      head: natural(head),
      row: natural(row),
      col: natural(col),
    };
    if (asked.row === null || asked.col === null) asked.row = asked.col = null;
    Object.assign(selection, asked); // the answer may be there before any view has been shown
    linked = answered ? null : asked;
  }

  /* The first component is there: the link says what to select and which screen to open. */
  function start() {
    if (!staged.size) selectFromLink(); // on a stage something else may have been selected since
    const opening = setInterval(() => {
      const first = wish ?? firstScreen();
      if (document.getElementById(`screen-${first}`)) {
        clearInterval(opening);
        openScreen(first);
      }
    }, 20);
  }

  /* Python has answered the page's arrival: the link has done its work. */
  function arrived() {
    answered = true;
    linked = null;
    writeLinkSoon();
  }

  /* Shows a view what it should show, if it does not yet. */
  async function bring(name) {
    const part = mounted[name];
    if (!part?.wanted) return;
    const text = JSON.stringify(part.wanted);
    if (part.shown === text) return;
    part.shown = text;
    part.root.removeAttribute("data-ready");
    await run(part.root, () => part.view.show(part.wanted));
    if (name === open) requestAnimationFrame(() => painted());
    if (part.root.querySelector(":scope > .inside-problem")) part.shown = null; // try again when asked
  }

  /* The screens that are not open get ready, two at a time, when the page is idle. The very first
     picture spares the newcomer's line: there, they wait until something is touched. Lazy ones wait
     until they are opened. */
  let touched = false,
    idle = null;
  function later() {
    clearTimeout(idle);
    if (wanted?.key === "first" && !touched) return;
    idle = setTimeout(() => {
      const names = Object.keys(mounted)
        .filter((name) => !mounted[name].view.lazy)
        .values(); // shared by both who take from it
      const work = async () => {
        for (const name of names) await bring(name);
      };
      work();
      work();
    }, 120);
  }
  for (const event of ["pointerdown", "keydown"])
    document.addEventListener(
      event,
      () => {
        if (!touched) {
          touched = true;
          later();
        }
      },
      true,
    );

  let wish = null; // the screen that was asked for before Gradio had made it
  function openScreen(name) {
    if (!document.getElementById(`screen-${name}`)) {
      wish = name;
      return;
    }
    open = name;
    for (const screen of document.querySelectorAll(".inside-screen"))
      screen.classList.toggle("open", screen.id === `screen-${name}`);
    markTab();
    bring(name);
    writeLinkSoon();
  }

  function markTab() {
    for (const tab of document.querySelectorAll(".inside-strip [role=tab]")) {
      const here = tab.dataset.screen === open;
      tab.setAttribute("aria-selected", String(here));
      tab.tabIndex = here ? 0 : -1;
      if (here)
        tab.parentElement.scrollTo({ left: tab.offsetLeft - tab.parentElement.offsetLeft - 60 }); // where the strip scrolls
    }
  }

  /* Runs the work of a view; says on the view what went wrong, and keeps what it shows. */
  async function run(root, work) {
    try {
      await work();
      root.querySelector(":scope > .inside-problem")?.remove();
      root.classList.remove("waiting");
      root.setAttribute("data-ready", "");
    } catch (error) {
      root.querySelector(":scope > .inside-problem")?.remove();
      const text = error instanceof TypeError ? "The server did not answer." : error.message;
      root.prepend(el("p", { class: "inside-problem", role: "alert", text }));
      console.warn(error);
    }
  }

  return {
    view: (name, maker) => {
      makers[name] = maker;
    },
    mount,
    perform,
    turn,
    afterFirst,
    run,
    mounted,
    fetchScene,
    sceneUrl,
    parseScene,
    paintMap,
    printMap,
    paintRgb,
    colourTable,
    inkOn,
    selection,
    select,
    listen: (listener) => listeners.add(listener),
    keep,
    kept,
    histogram,
    tip,
    live,
    takeAlong,
    flatten,
    openInPython,
    fitSelection,
    readLink,
    arrived,
    openScreen,
    page,
    get touched() {
      return touched;
    },
    el,
    percent,
    maximum,
    eachFrame,
    seldom,
    slider,
    choice,
    legend,
    PatchPicture,
  };
})();
