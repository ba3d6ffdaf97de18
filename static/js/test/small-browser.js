/* More of a browser around the small document, for whole screens: boxes, pens that write down what they
   are told, charts, a clock that the test turns, and a list of what happens. Import it before the
   modules under test. */
import "./small-document.js";
import { mock } from "node:test";
import { digest, short, tell } from "./telling.js";

/** @type {string[]} what has happened since the last look */
export const happened = [];
export const note = (line) => void happened.push(short(line));

const BOX = { left: 10, top: 20, width: 200, height: 100, right: 210, bottom: 120, x: 10, y: 20 };

/** Draws a picture in words: every call and every setting of the pen. */
function penOf(canvas) {
  const own = {
    canvas,
    createImageData: (width, height) => ({ data: new Uint8ClampedArray(4 * width * height) }),
    measureText: (text) => ({ width: 6 * text.length }),
    getImageData: (x, y, width, height) => ({ data: new Uint8ClampedArray(4 * width * height) }),
  };
  const write = (line) => {
    canvas.told.push(line);
    canvas.drawn = digest(`${canvas.drawn}${line}`);
  };
  return new Proxy(own, {
    get: (_, name) =>
      own[name] ?? ((...words) => write(`${name}(${words.map((one) => tell(one)).join(" ")})`)),
    set(_, name, value) {
      own[name] = value;
      write(`${String(name)} = ${tell(value)}`);
      return true;
    },
  });
}

Object.assign(HTMLElement.prototype, {
  getContext() {
    this.told ??= [];
    return (this.pen ??= penOf(this));
  },
  toDataURL() {
    return `data:${this.drawn}`;
  },
  toBlob(done) {
    note(`a picture ${this.width} x ${this.height}: ${(this.told ?? []).join("; ")}`);
    done(new Blob([`${this.drawn}`]));
  },
  click() {
    if (this.isClicking) return; // as browsers do: no click begins itself anew
    this.isClicking = true;
    if (this.tag === "a" && this.hasAttribute("download"))
      note(`takes "${this.getAttribute("download")}" from ${this.getAttribute("href")}`);
    this.fire("click", { clientX: 60, clientY: 45 });
    this.isClicking = false;
  },
  getBoundingClientRect() {
    return this.box ?? BOX;
  },
  getClientRects: () => [BOX],
  scrollTo(to) {
    note(`scrolls to ${JSON.stringify(to)}`);
  },
  setPointerCapture() {},
  releasePointerCapture() {},
  hasPointerCapture: () => false,
  setCustomValidity() {},
  reportValidity: () => true,
  select() {},
  showModal() {
    this.open = true;
  },
  close() {
    this.open = false;
    this.fire("close");
  },
});
for (const [name, value] of Object.entries({ offsetWidth: 200, offsetHeight: 100, offsetLeft: 30 }))
  Object.defineProperty(HTMLElement.prototype, name, { value, configurable: true });
for (const [name, value] of Object.entries({
  clientWidth: 200,
  clientHeight: 100,
  offsetTop: 40,
  scrollWidth: 230,
}))
  Object.defineProperty(HTMLElement.prototype, name, { value, configurable: true });

for (const [name, tag] of [
  ["HTMLInputElement", "input"],
  ["HTMLSelectElement", "select"],
  ["HTMLTextAreaElement", "textarea"],
  ["HTMLButtonElement", "button"],
  ["HTMLCanvasElement", "canvas"],
  ["HTMLImageElement", "img"],
  ["HTMLDetailsElement", "details"],
])
  globalThis[name] = class {
    static [Symbol.hasInstance] = (node) => node?.tag === tag;
  };
globalThis.Element = HTMLElement;
globalThis.NodeFilter = { SHOW_TEXT: 4 };
globalThis.scrollBy = (to) => note(`the page scrolls by ${JSON.stringify(to)}`);
globalThis.Text = class {
  static [Symbol.hasInstance] = (node) => node !== null && typeof node === "object" && !node.tag;
};

/** Which events an element listens to. */
const listens = new WeakMap();
const add = HTMLElement.prototype.addEventListener;
HTMLElement.prototype.addEventListener = function (name, listener) {
  listens.set(this, (listens.get(this) ?? new Set()).add(name));
  add.call(this, name, listener);
};
export const eventsOf = (node) => [
  ...new Set([
    ...(listens.get(node) ?? []),
    ...Object.keys(node)
      .filter((name) => /^on[a-z]/.test(name) && node[name])
      .map((name) => name.slice(2)),
  ]),
];

const memory = new Map();
const titleOf = (where) => where.layout.meta.title;
Object.assign(globalThis, {
  location: { hash: "", href: "http://page/", pathname: "/", reload: () => note("reloads") },
  history: {
    pushState: (_state, _title, to) => note(`a step to ${to}`),
    replaceState: (_state, _title, to) => note(`the link is ${to}`),
  },
  localStorage: {
    getItem: (name) => memory.get(name) ?? null,
    setItem: (name, value) => memory.set(name, String(value)),
  },
  reportError(error) {
    note(`FAULT ${error.stack.split("\n").slice(0, 3).join(" ")}`);
  },
  requestAnimationFrame: (work) => setTimeout(() => work(performance.now()), 16),
  cancelAnimationFrame: (timer) => clearTimeout(timer),
  XMLSerializer: class {
    serializeToString(node) {
      const inside = node.children.map((child) => this.serializeToString(child)).join("");
      return `<${node.tag}>${inside || node.textContent}</${node.tag}>`;
    }
  },
  getComputedStyle: () => ({
    *[Symbol.iterator]() {
      yield "color";
    },
    backgroundColor: "rgb(255, 255, 255)",
    color: "rgb(0, 0, 0)",
    gridTemplateColumns: "100px 100px",
    getPropertyValue: (name) => `the ${name}`,
  }),
  ResizeObserver: class {
    constructor(heard) {
      this.heard = heard;
    }
    observe(target) {
      const { width, height } = target.getBoundingClientRect();
      setTimeout(() => this.heard([{ target, contentRect: { width, height } }], this), 0);
    }
    unobserve() {}
    disconnect() {}
  },
  innerWidth: 1200,
  innerHeight: 800,
  devicePixelRatio: 1,
  scrollTo() {},
  addEventListener: (...words) => document.documentElement.addEventListener(...words),
  removeEventListener: (...words) => document.documentElement.removeEventListener(...words),
  /** Sends by fetch, and tells how far it is. */
  XMLHttpRequest: class {
    upload = {};
    open(method, url) {
      Object.assign(this, { method, url });
    }
    async send(body) {
      this.upload.onprogress?.({ loaded: 1, total: 4 });
      const response = await fetch(this.url, { method: this.method, body });
      Object.assign(this, { status: response.status, responseText: await response.text() });
      this.onload?.({});
    }
    setRequestHeader() {}
    abort() {}
  },
  Plotly: {
    async react(where, data, layout, config) {
      where.on ??= (name, listener) => where.addEventListener(name, listener);
      Object.assign(where, { data, layout, tools: config.modeBarButtons.flat() });
      where.chart = `${data.length} traces of ${layout.meta.title} ${digest(tell(data))}`;
    },
    async relayout(where, change) {
      note(`${titleOf(where)} moves: ${tell(change)}`);
    },
    async restyle(where, ...change) {
      note(`${titleOf(where)} changes: ${tell(change)}`);
    },
    async redraw(where) {
      where.chart = `${where.data.length} traces of ${titleOf(where)} ${digest(tell(where.data))}`;
    },
    async downloadImage(where, options) {
      note(`${titleOf(where)} is taken: ${tell(options)}`);
    },
    toImage: async (where, options) => `data:${titleOf(where)}${tell(options)}`,
    Fx: {
      hover: (where, at) => note(`${titleOf(where)} is pointed at: ${tell(at)}`),
      unhover: (where) => note(`${titleOf(where)} is left`),
    },
    Plots: { resize() {} },
  },
});
Object.assign(document, {
  baseURI: "http://page/",
  fonts: { ready: Promise.resolve(), load: async () => [] },
  addEventListener: (...words) => document.documentElement.addEventListener(...words),
  removeEventListener: (...words) => document.documentElement.removeEventListener(...words),
  /** All texts below a node, as they are at first. */
  createTreeWalker(node) {
    const below = (one) => (one.childNodes ? one.childNodes.flatMap(below) : [one]),
      texts = below(node);
    const walker = { nextNode: () => (walker.currentNode = texts.shift()) };
    return walker;
  },
  createComment: () => document.createElement("comment"),
});
const append = document.head.append.bind(document.head);
document.head.append = (script) => {
  append(script);
  if (script.tag === "script") script.fire("load");
};
/** Says at once what it holds, without waiting for a disk. */
globalThis.Blob = class extends Blob {
  constructor(parts = [], options = {}) {
    super(parts, options);
    this.parts = parts;
    this.words = parts.map((part) => part.words ?? String(part)).join("");
  }
  async text() {
    return this.words;
  }
  async arrayBuffer() {
    return Uint8Array.from(Buffer.from(this.words, "latin1")).buffer;
  }
  slice(from, to) {
    return new Blob([this.words.slice(from, to)]);
  }
};
globalThis.File = class extends Blob {
  constructor(parts, name, options) {
    super(parts, options);
    this.name = name;
  }
};
URL.createObjectURL = (blob) => {
  const words = blob.parts?.every((part) => typeof part === "string");
  if (words) note(`a file of ${blob.type || "no type"}: ${blob.parts.join("")}`);
  return "blob:page";
};
URL.revokeObjectURL = () => {};
Object.assign(navigator, { clipboard: { writeText: async () => note("copies the link") } });
console.warn = (error) => note(`refused: ${error?.message ?? error}`);
globalThis.Image = class {
  constructor() {
    return Object.assign(document.createElement("img"), { decode: async () => {} });
  }
};
HTMLElement.prototype.decode = async () => {};
/** A picture comes a moment after it was asked for. */
const setAttribute = HTMLElement.prototype.setAttribute;
HTMLElement.prototype.setAttribute = function (name, value) {
  setAttribute.call(this, name, value);
  if (this.tag !== "img" || name !== "src") return;
  Object.assign(this, { complete: true, naturalWidth: 60, naturalHeight: 40 });
  setTimeout(() => this.fire("load"), 1);
};
Object.defineProperty(HTMLElement.prototype, "offsetParent", {
  get() {
    return this.closest("[hidden]") ? null : this.parentNode;
  },
});

// ---------- time

mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"], now: 0 });
performance.now = () => Date.now();

/** What a real server is asked, while its answers are recorded. */
const pending = new Set();
export function onItsWay(answer) {
  pending.add(answer);
  return answer.finally(() => pending.delete(answer));
}

export async function settle(rounds = 4) {
  for (let i = 0; i < rounds; i++) {
    for (let j = 0; j < 3; j++) await new Promise((resolve) => setImmediate(resolve));
    while (pending.size) await Promise.allSettled(pending);
    mock.timers.tick(100);
  }
  for (let j = 0; j < 3; j++) await new Promise((resolve) => setImmediate(resolve));
}
