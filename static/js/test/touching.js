/* Everything that somebody can touch in a part of the page, one touch after the other. */

const KEYS = [
  "ArrowRight",
  "ArrowDown",
  "Home",
  "ArrowLeft",
  "End",
  "ArrowUp",
  "Enter",
  " ",
  "Escape",
];
const POINTS = [
  { clientX: 60, clientY: 45 },
  { clientX: 170, clientY: 95 },
];
const POINTER = ["pointerenter", "pointerover", "pointermove", "pointerdown", "pointerup"];
const ORDER = [
  ...POINTER,
  "wheel",
  "dblclick",
  "focusin",
  "focus",
  "click",
  "keydown",
  "input",
  "change",
];
const FACTS = {
  pointerId: 1,
  button: 0,
  buttons: 1,
  deltaY: -120,
  deltaX: 0,
  pointerType: "mouse",
};

const SEVERAL = ["button", "select", "input"]; // of which more than two are touched
const POINTED = [{ x: 1, pointNumber: [0, 1], curveNumber: 0 }];

const place = (name) => (ORDER.includes(name) ? ORDER.indexOf(name) : ORDER.length);

/** Elements of one kind stand in like places: one touched is as good as another. */
function kindOf(node) {
  const names = [];
  for (let one = node; one && one.tag !== "body"; one = one.parentNode)
    names.push(`${one.tag}.${one.className.split(" ")[0]}`);
  return [node.parentNode?.getAttribute("aria-label"), node.title, ...names].join(" ");
}

const named = (node) => {
  const word = (node.getAttribute("aria-label") ?? node.textContent).slice(0, 40);
  return `${node.tag}${node.className ? `.${node.className.split(" ")[0]}` : ""} "${word}"`;
};

const isThere = (node) => node.isConnected && !node.closest("[hidden]");

/** The values that a field is given, one after the other. */
function valuesOf(node) {
  if (node.tag === "select")
    return node.options
      .map(({ value }) => value)
      .filter((value) => value !== node.value)
      .slice(0, 6);
  if (node.type === "range" || node.type === "number") {
    const [low, high, step] = [node.min || 0, node.max || 10, node.step || 1].map(Number);
    return [high, Math.min(high, low + (step || 1)), low];
  }
  if (node.type === "color") return ["#ff8800"];
  return ["0.5", "co", ""];
}

function* ofField(node, name) {
  if (node.type === "checkbox" || node.type === "radio") {
    for (let i = 0; i < 2; i++)
      yield {
        title: `${named(node)} is ticked or not`,
        work() {
          node.checked = !node.checked;
          node.fire(name);
        },
      };
    return;
  }
  if (node.type === "file") {
    yield {
      title: `a file for ${named(node)}`,
      work() {
        node.files = [new File(["pixels"], "own.png", { type: "image/png" })];
        node.fire(name);
      },
    };
    return;
  }
  for (const value of valuesOf(node))
    yield {
      title: `${named(node)} ${name} ${value}`,
      work() {
        node.value = value;
        node.fire(name);
      },
    };
}

const QUIET = ["load", "error", "close", "submit", "drawn", "drop", "dragenter", "dragover"];

const toggled = (node) => ({
  title: `opens or closes ${named(node)}`,
  work() {
    node.open = !node.open;
    node.fire("toggle");
  },
});

function* ofEvent(node, name) {
  const fire = (facts, words = "") => ({
      title: `${name}${words} ${named(node)}`,
      work: () => node.fire(name, { ...FACTS, ...facts }),
    }),
    isSmall = ["button", "td"].includes(node.tag);
  if (name === "keydown")
    for (const key of isSmall ? KEYS.slice(0, 2) : KEYS) yield fire({ key }, ` ${key}`);
  else if (["input", "change"].includes(name)) yield* ofField(node, name);
  else if (name === "toggle") yield toggled(node);
  else if (["pointermove", "click"].includes(name))
    for (const point of isSmall ? POINTS.slice(0, 1) : POINTS) yield fire(point);
  else if (name.startsWith("plotly_")) yield fire({ points: POINTED, "xaxis.range[0]": 1 });
  else if (!QUIET.includes(name)) yield fire(POINTS[0]);
}

/** What stands in the bar of a chart. */
function* ofTools(chart) {
  for (const tool of chart.tools ?? [])
    if (tool.click)
      yield { title: `${tool.name} of ${chart.layout.meta.title}`, work: () => tool.click(chart) };
}

// ---------- what takes more than one event

const GRIPS = {
  drags: [
    ["pointerdown", 0],
    ["pointermove", 1],
    ["pointermove", 2],
    ["pointerup", 2],
  ],
  "drags with Shift": [
    ["pointerdown", 0],
    ["pointermove", 1],
    ["pointermove", 2],
    ["pointerup", 2],
  ],
  "is interrupted": [
    ["pointerdown", 1],
    ["pointermove", 0],
    ["pointercancel", 0],
  ],
  pinches: [
    ["pointerdown", 0],
    ["pointerdown", 1, 2],
    ["pointermove", 2, 2],
    ["pointerup", 2, 2],
    ["pointerup", 0],
  ],
};
const PATH = [...POINTS, { clientX: 120, clientY: 30 }];

/** @param {object} node that listens to a finger or a mouse */
function* ofGrips(node) {
  for (const [title, steps] of Object.entries(GRIPS))
    yield {
      title: `${title} on ${named(node)}`,
      work() {
        for (const [name, at, pointerId = 1] of steps)
          node.fire(name, { ...FACTS, ...PATH[at], pointerId, shiftKey: title.endsWith("Shift") });
      },
    };
}

const MORE_KEYS = [
  { key: "]" },
  { key: "[" },
  { key: "1" },
  { key: "m" },
  { key: "+" },
  { key: "-" },
  { key: "0" },
  { key: "ArrowRight", shiftKey: true },
  { key: "z", ctrlKey: true },
  { key: "Z", ctrlKey: true, shiftKey: true },
  { key: "Tab" },
];

/** @param {object} node of which the keys do more than walk */
function* ofMoreKeys(node) {
  for (const facts of MORE_KEYS) {
    const held = ["ctrlKey", "shiftKey"].filter((name) => facts[name]).join(" ");
    yield {
      title: `${held} ${facts.key} ${named(node)}`.trim(),
      work: () => node.fire("keydown", facts),
    };
  }
}

function* ofDrop(node) {
  const file = new File(["pixels"], "own.png", { type: "image/png" }),
    dataTransfer = { types: ["Files"], files: [file], items: [] };
  yield {
    title: `drops a file on ${named(node)}`,
    work() {
      for (const name of ["dragenter", "dragover", "drop"]) node.fire(name, { dataTransfer });
    },
  };
}

function* ofNode(node, names) {
  for (const name of names.toSorted((a, b) => place(a) - place(b))) yield* ofEvent(node, name);
  if (names.includes("pointerdown") && names.includes("pointerup")) yield* ofGrips(node);
  if (names.includes("keydown") && node.getAttribute("role") === "application")
    yield* ofMoreKeys(node);
  if (names.includes("drop")) yield* ofDrop(node);
  yield* ofTools(node);
}

const isToggle = (node) => node.tag === "button" && node.hasAttribute("aria-pressed");

/** What is pointed at after a switch was turned. @param {object} root */
function* pointedAt(root) {
  const pictures = root.querySelectorAll('[role="application"]').filter(isThere).slice(0, 2);
  for (const node of pictures) {
    const title = `points at ${named(node)}`;
    yield { title, work: () => node.fire("pointermove", { ...FACTS, ...POINTS[1] }) };
    yield { title: `${title} and clicks`, work: () => node.fire("click", POINTS[1]) };
  }
}

/**
 * Touch after touch. What a touch brings to light is touched before anything else: a panel that opens
 * may be closed by the next.
 *
 * @param {object} root
 * @param {{ eventsOf: (node: object) => string[], most: number, skip: (node: object) => boolean }} options
 */
export function* touches(root, { eventsOf, most, skip }) {
  const counts = new Map(),
    seen = new Set(),
    missed = new Set(), // hidden again before its turn came
    switches = new Set();
  let left = most;
  /** What is there and was not there before, as far as its kind is to be touched. */
  function fresh() {
    const all = root.querySelectorAll("").filter((node) => !seen.has(node) && isThere(node));
    return all.filter((node) => {
      if (!eventsOf(node).length || skip(node)) return false;
      seen.add(node);
      if (missed.delete(node)) return true;
      if (isToggle(node)) switches.add(node);
      const kind = kindOf(node),
        count = counts.get(kind) ?? 0;
      counts.set(kind, count + 1);
      return count < (SEVERAL.includes(node.tag) ? 5 : 2);
    });
  }
  function* explore(nodes) {
    for (const node of nodes) {
      if (!isThere(node)) {
        seen.delete(node);
        missed.add(node);
        continue;
      }
      for (const touch of ofNode(node, eventsOf(node))) {
        if (left-- <= 0) return;
        yield touch;
        yield* explore(fresh());
        if (isToggle(node) && left-- > 0) yield* pointedAt(root);
      }
    }
  }
  yield* explore(fresh());
  for (const node of [...switches])
    if (missed.size && isThere(node) && left-- > 0) {
      yield { title: `click again ${named(node)}`, work: () => node.click() };
      yield* explore(fresh());
    }
}
