/* As much of a browser's document as the page's parts ask for, so that they are tried in milliseconds.

   Import it before the modules under test. What is laid out, painted or focused needs a browser, and
   is tried in one (tests/app); here is what a part says, hides, offers and tells when it is touched. */

const REFLECTED = ["id", "type", "name", "title", "href", "src", "alt", "min", "max", "step"];
const SWITCHES = ["hidden", "disabled", "open", "checked", "selected"];

/** A tag, classes and attributes, as in `button.leave[aria-pressed="true"]`. */
function matchesOne(node, selector) {
  const [, tag, rest] = /^([\w-]*)(.*)$/.exec(selector);
  if (tag && tag !== node.tag) return false;
  return [...rest.matchAll(/([.#])([\w-]+)|\[([\w-]+)(?:="?([^"\]]*)"?)?\]/g)].every(
    ([, sign, word, name, value]) =>
      sign
        ? sign === "."
          ? node.classList.contains(word)
          : node.id === word
        : value === undefined
          ? node.hasAttribute(name)
          : node.getAttribute(name) === value,
  );
}

class SmallText {
  constructor(text) {
    this.textContent = String(text);
  }
  get data() {
    return this.textContent;
  }
  get parentElement() {
    return this.parentNode;
  }
  replaceWith(...all) {
    this.parentNode.insertAll(this, all);
  }
  remove() {
    this.parentNode?.take(this);
  }
}

class SmallStyle {
  setProperty(name, value) {
    this[name] = String(value);
  }
  getPropertyValue(name) {
    return this[name] ?? "";
  }
  removeProperty(name) {
    delete this[name];
  }
}

const dashed = (name) => `data-${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

const datasetOf = (attributes) =>
  new Proxy(
    {},
    {
      get: (_, name) => attributes.get(dashed(name)),
      set: (_, name, value) => attributes.set(dashed(name), String(value)) && true,
      has: (_, name) => attributes.has(dashed(name)),
      deleteProperty: (_, name) => attributes.delete(dashed(name)) || true,
    },
  );

function classesOf(attributes) {
  const words = () => (attributes.get("class") ?? "").split(/\s+/).filter(Boolean);
  const write = (all) => void attributes.set("class", [...new Set(all)].join(" "));
  return {
    [Symbol.iterator]: () => words()[Symbol.iterator](),
    contains: (word) => words().includes(word),
    add: (...more) => write([...words(), ...more]),
    remove: (...gone) => write(words().filter((word) => !gone.includes(word))),
    toggle(word, on = !words().includes(word)) {
      write(on ? [...words(), word] : words().filter((one) => one !== word));
      return on;
    },
  };
}

class SmallElement {
  #listeners = new Map();
  #attributes = new Map();
  #value = null;

  constructor(tag) {
    this.tag = tag;
    this.tagName = tag.toUpperCase();
    this.childNodes = [];
    this.parentNode = null;
    this.style = new SmallStyle();
    this.dataset = datasetOf(this.#attributes);
    this.classList = classesOf(this.#attributes);
  }

  // ---------- attributes
  getAttribute(name) {
    return this.#attributes.get(name) ?? null;
  }
  setAttribute(name, value) {
    this.#attributes.set(name, String(value));
  }
  hasAttribute(name) {
    return this.#attributes.has(name);
  }
  removeAttribute(name) {
    this.#attributes.delete(name);
  }
  toggleAttribute(name, on = !this.hasAttribute(name)) {
    if (on) this.setAttribute(name, "");
    else this.removeAttribute(name);
    return on;
  }
  /** [name, value] of each, as they were first set. */
  attributes() {
    return [...this.#attributes];
  }
  get className() {
    return this.getAttribute("class") ?? "";
  }
  set className(words) {
    this.setAttribute("class", words);
  }
  get tabIndex() {
    return Number(this.getAttribute("tabindex") ?? -1);
  }
  set tabIndex(place) {
    this.setAttribute("tabindex", place);
  }
  get value() {
    if (this.#value !== null) return this.tag === "progress" ? Number(this.#value) : this.#value;
    return this.#first();
  }
  /** The value of what nobody has touched. */
  #first() {
    const { tag } = this,
      own = this.getAttribute("value");
    if (tag === "progress") return Number(own ?? 0);
    if (tag === "option") return own ?? this.textContent;
    if (tag !== "select") return own ?? "";
    return (this.options.find((one) => one.selected) ?? this.options[0])?.value ?? "";
  }
  set value(next) {
    this.#value = String(next);
  }
  get options() {
    return this.querySelectorAll("option");
  }

  // ---------- children
  get children() {
    return this.childNodes.filter((child) => child instanceof SmallElement);
  }
  get firstChild() {
    return this.childNodes[0] ?? null;
  }
  get firstElementChild() {
    return this.children[0] ?? null;
  }
  get parentElement() {
    return this.parentNode;
  }
  get isConnected() {
    return this === globalThis.document.documentElement || Boolean(this.parentNode?.isConnected);
  }
  get textContent() {
    return this.childNodes.map((child) => child.textContent).join("");
  }
  set textContent(text) {
    this.replaceChildren(...(text === "" || text === null ? [] : [text]));
  }
  take(child) {
    this.childNodes = this.childNodes.filter((one) => one !== child);
    child.parentNode = null;
  }
  #put(at, all) {
    for (const one of all) {
      const child = typeof one === "object" ? one : new SmallText(one);
      child.remove();
      child.parentNode = this;
      this.childNodes.splice(at++, 0, child);
    }
  }
  /** In the place of a text. */
  insertAll(text, all) {
    this.#put(this.childNodes.indexOf(text), all);
    this.take(text);
  }
  append(...all) {
    this.#put(this.childNodes.length, all);
  }
  prepend(...all) {
    this.#put(0, all);
  }
  replaceChildren(...all) {
    for (const child of [...this.childNodes]) this.take(child);
    if (this.tag === "select") this.#value = null;
    this.append(...all);
  }
  before(...all) {
    this.parentNode.#put(this.parentNode.childNodes.indexOf(this), all);
  }
  after(...all) {
    this.parentNode.#put(this.parentNode.childNodes.indexOf(this) + 1, all);
  }
  replaceWith(...all) {
    this.before(...all);
    this.remove();
  }
  insertBefore(child, next) {
    this.#put(next ? this.childNodes.indexOf(next) : this.childNodes.length, [child]);
    return child;
  }
  remove() {
    this.parentNode?.take(this);
  }
  cloneNode(isDeep = false) {
    const copy = new SmallElement(this.tag);
    for (const [name, value] of this.#attributes) copy.setAttribute(name, value);
    if (isDeep)
      copy.append(...this.childNodes.map((child) => child.cloneNode?.(true) ?? child.data));
    return copy;
  }
  contains(other) {
    return other === this || this.children.some((child) => child.contains(other));
  }
  matches(selectors) {
    return selectors.split(",").some((selector) => {
      const steps = selector.trim().split(/\s+(?![^[]*\])/);
      if (!matchesOne(this, steps.pop())) return false;
      let above = this.parentNode;
      for (const step of steps.reverse()) {
        while (above && !matchesOne(above, step)) above = above.parentNode;
        if (!above) return false;
        above = above.parentNode;
      }
      return true;
    });
  }
  closest(selector) {
    return this.matches(selector) ? this : (this.parentNode?.closest(selector) ?? null);
  }
  querySelectorAll(selector) {
    return this.children.flatMap((child) => [
      ...(child.matches(selector) ? [child] : []),
      ...child.querySelectorAll(selector),
    ]);
  }
  querySelector(selector) {
    return this.querySelectorAll(selector)[0] ?? null;
  }

  // ---------- events
  addEventListener(name, listener) {
    this.#listeners.set(name, [...(this.#listeners.get(name) ?? []), listener]);
  }
  removeEventListener(name, listener) {
    this.#listeners.set(
      name,
      (this.#listeners.get(name) ?? []).filter((one) => one !== listener),
    );
  }
  /** Somebody touches it, and whoever stands around it hears of that; what is disabled is not touched. */
  fire(name, facts = {}) {
    if (this.disabled && name === "click") return;
    let goesOn = true;
    const event = {
      type: name,
      target: this,
      preventDefault() {},
      stopPropagation: () => (goesOn = false),
      stopImmediatePropagation: () => (goesOn = false),
      ...facts,
    };
    for (let node = this; node && goesOn; node = node.parentNode) node.#hear(event);
  }
  #hear(event) {
    this[`on${event.type}`]?.(event);
    for (const listener of this.#listeners.get(event.type) ?? []) listener.call(this, event);
  }
  dispatchEvent(event) {
    this.fire(event.type);
    return true;
  }
  click() {
    this.fire("click");
  }
  focus() {
    globalThis.document.activeElement = this;
  }
  blur() {}
  scrollIntoView() {}
  getBoundingClientRect() {
    return this.box ?? { left: 0, top: 0, width: 0, height: 0 };
  }
  /** A pen that writes down what it is told. */
  getContext() {
    this.told ??= [];
    const createImageData = (width, height) => ({
      data: new Uint8ClampedArray(4 * width * height),
    });
    this.pen ??= new Proxy(
      { canvas: this, createImageData },
      { get: (own, name) => own[name] ?? ((...words) => this.told.push([name, ...words])) },
    );
    return this.pen;
  }
  toDataURL() {
    return `data:${this.told.length}`;
  }
}

for (const name of REFLECTED)
  Object.defineProperty(SmallElement.prototype, name, {
    get() {
      return this.getAttribute(name) ?? "";
    },
    set(value) {
      this.setAttribute(name, value);
    },
  });
for (const name of SWITCHES)
  Object.defineProperty(SmallElement.prototype, name, {
    get() {
      return this.hasAttribute(name);
    },
    set(on) {
      this.toggleAttribute(name, Boolean(on));
    },
  });

const html = new SmallElement("html"),
  [head, body] = [new SmallElement("head"), new SmallElement("body")];
html.append(head, body);
export const observers = [];
/** @type {Set<IntersectionObserver>} */
const watching = new Set();
/** Where an element stands that is not in sight. */
const standing = new WeakMap();

/** Scrolls: an element is in sight, as all are at first, or near it, or far away. */
export function scrolls(node, where) {
  standing.set(node, where);
  for (const one of watching) if (one.observed.has(node)) one.tell(node);
}

Object.assign(globalThis, {
  document: {
    documentElement: html,
    head,
    body,
    activeElement: body,
    visibilityState: "visible",
    createElement: (tag) => new SmallElement(tag),
    createElementNS: (_, tag) => new SmallElement(tag),
    createTextNode: (text) => new SmallText(text),
    getElementById: (id) => html.querySelector(`[id="${id}"]`),
    querySelector: (selector) => html.querySelector(selector),
    querySelectorAll: (selector) => html.querySelectorAll(selector),
    addEventListener() {},
  },
  Node: SmallElement,
  HTMLElement: SmallElement,
  addEventListener() {},
  requestAnimationFrame: (work) => setTimeout(work, 0),
  matchMedia: () => ({ matches: false, addEventListener() {} }),
  getComputedStyle: () => ({ gridTemplateColumns: "", getPropertyValue: () => "" }),
  MutationObserver: class {
    observe() {}
    disconnect() {}
  },
  ResizeObserver: class {
    constructor(heard) {
      observers.push(this);
      this.heard = heard;
      this.observed = [];
    }
    observe(node) {
      this.observed.push(node);
    }
    disconnect() {
      this.observed = [];
    }
  },
  IntersectionObserver: class {
    constructor(heard, { rootMargin = "0px" } = {}) {
      Object.assign(this, { heard, observed: new Map(), rootMargin });
      watching.add(this);
    }
    observe(node) {
      this.observed.set(node, null);
      queueMicrotask(() => this.tell(node));
    }
    tell(target) {
      const where = standing.get(target) ?? "in sight",
        isIntersecting = where === "in sight" || (where === "near" && this.rootMargin !== "0px");
      if (this.observed.get(target) === isIntersecting) return;
      this.observed.set(target, isIntersecting);
      this.heard([{ target, isIntersecting }]);
    }
  },
});
// Nothing is fetched ahead: a test pays for what it asks.
Object.defineProperty(globalThis, "navigator", { value: { connection: { saveData: true } } });
