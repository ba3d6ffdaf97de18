/* The parts of Many pictures: the nearest and how they vote, and galleries that open and are awaited. */
import "./small-document.js";
import { slowServer } from "./slow-server.js";
import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { mount, openScreen } from "../page/screens.js";
import { createChosen } from "../screens/gallery/chosen.js";
import { GalleryData } from "../screens/gallery/data.js";
import { createNeighbours } from "../screens/gallery/neighbours.js";
import { Opening } from "../screens/gallery/opening.js";
import { createProbes } from "../screens/gallery/probes.js";
import { pressTile } from "../screens/gallery/tiles.js";

const buttonsOf = (node) => node.querySelectorAll("button");
const gallery = { facts: { classes: [..."abcdefgh"] } };
const thumbnails = { face: (index) => String(index) };

test("the nearest pictures, their likeness and their vote", () => {
  const pick = mock.fn(),
    state = { features: "cls", layer: 3, shown: null, neighbours: null };
  const { nodes, draw } = createNeighbours(state, { pick });
  const [words, grid, voteTitle, vote] = nodes;
  const near = (facts) => ({
    indices: [4, 2],
    similarities: [0.9876, 0.5],
    facts: { words: "", votes: [], ...facts },
  });
  state.shown = { gallery, thumbnails, names: { of: (index) => `${index}.png` } };
  draw({ neighbours: null });
  assert.ok(grid.hasAttribute("aria-busy"));
  state.neighbours = near({ votes: [..."abcdefgh"].map((name) => [name, 0.125]) });
  draw({ hovered: 1 });
  assert.equal(buttonsOf(grid).length, 0, "nothing that it shows has changed");
  draw({ neighbours: state.neighbours });
  assert.ok(!grid.hasAttribute("aria-busy"));
  assert.match(words.textContent, /The 2 nearest/);
  assert.deepEqual(
    buttonsOf(grid).map((one) => [one.title, one.textContent]),
    [
      ["4.png", "40.988"],
      ["2.png", "20.500"],
    ],
  );
  assert.deepEqual([voteTitle.hidden, vote.hidden], [false, false]);
  assert.ok(vote.children.length < 8, "the first of many classes");
  assert.match(voteTitle.textContent, /layer 3/);
  buttonsOf(grid)[1].click();
  assert.deepEqual(pick.mock.calls[0].arguments, [2]);
  state.neighbours = near({ words: "By an index." });
  draw({ named: [1] });
  assert.deepEqual([voteTitle.hidden, vote.hidden], [true, true], "without labels");
  assert.match(words.textContent, /By an index\./);
});

test("one tile is pressed, or none", () => {
  const node = document.createElement("div");
  for (const index of [3, 5, 7]) {
    const button = document.createElement("button");
    button.dataset.index = index;
    node.append(button);
  }
  const pressed = () => buttonsOf(node).map((one) => one.getAttribute("aria-pressed"));
  pressTile(node, 5);
  assert.deepEqual(pressed(), ["false", "true", "false"]);
  pressTile(node, null);
  assert.deepEqual(pressed(), ["false", "false", "false"]);
});

// ---------- galleries that open

openScreen("gallery");
mount("gallery", document.createElement("div"));

const waiting = (name) => ({ name, seen: false, alive: true });

/** A server that answers when the test says so. */
function world() {
  const asked = slowServer((value, status) => Response.json(value, { status }));
  const state = { name: "", card: null, cards: [], shown: null, problem: "" },
    update = (change) => Object.assign(state, change),
    page = { run: (work) => work() };
  return { asked, state, opening: new Opening({ state, update, page, loading: {} }) };
}
async function settled() {
  for (let i = 0; i < 10; i++) await new Promise((resolve) => setImmediate(resolve));
}

test("who opens two galleries one after the other sees the second, whichever answers first", async () => {
  const { asked, state, opening } = world(),
    answer = { galleries: [waiting("one"), waiting("two")], models: [] };
  void opening.open("one");
  void opening.open("two");
  asked[1].says(answer);
  await settled();
  asked[0].says(answer);
  await settled();
  assert.deepEqual([state.name, state.card.name], ["two", "two"]);
  clear(opening);
});

test("a gallery that is not there is said, and the samples open", async () => {
  const { asked, state, opening } = world();
  void opening.open("another");
  asked[0].says({ galleries: [waiting("samples")], models: [] });
  await settled();
  assert.match(state.problem, /not on this server/);
  asked[1].says({ galleries: [waiting("samples")], models: [] });
  await settled();
  assert.equal(state.name, "samples");
  clear(opening);
});

test("a gallery that is being made is asked about again, also after the server has refused", async () => {
  const timers = mock.timers;
  timers.enable({ apis: ["setTimeout"] });
  const { asked, state, opening } = world();
  void opening.open("one");
  asked[0].says({ galleries: [waiting("one")], models: [] });
  await settled();
  const again = async (says, status) => {
    const before = asked.length;
    timers.tick(1000);
    assert.deepEqual(
      asked.slice(before).map(({ url }) => url),
      ["galleries/one"],
    );
    asked.at(-1).says(says, status);
    await settled();
  };
  await again(waiting("one"), 200);
  await again("No.", 422);
  assert.match(state.problem, /No\./);
  await again({ ...waiting("one"), words: "Mapping." }, 200);
  assert.equal(state.card.words, "Mapping.");
  await again({ ...waiting("one"), alive: false }, 200);
  const before = asked.length;
  timers.tick(10_000);
  assert.equal(asked.length, before, "it is done");
  timers.reset();
  clear(opening);
});

test("a gallery that is left while it loads is not shown over the next one", async () => {
  const { asked, state, opening } = world(),
    loaded = [];
  opening.loading = Object.fromEntries(
    ["rest", "own", "command", "probe", "map", "colours"].map((name) => [name, () => null]),
  );
  const facts = { count: 3, classes: ["cat"], layers: 2, grid: [1, 1], names: [..."abc"] };
  mock.method(GalleryData.prototype, "ask", async (path) =>
    path === "pictures" ? { facts, labels: [0, 0, 0] } : { xy: new Float32Array(6), facts: {} },
  );
  mock.method(
    GalleryData.prototype,
    "settle",
    () => new Promise((resolve) => loaded.push(() => resolve({ indices: [], facts: {} }))),
  );
  const there = (name) => ({ name, seen: true, alive: false }),
    answer = { galleries: [there("one"), there("two")], models: [] };
  void opening.open("one");
  asked[0].says(answer);
  await settled();
  void opening.open("two");
  loaded[0]();
  await settled();
  assert.equal(state.shown, null, "the first has come, and nobody wants it any more");
  asked[1].says(answer);
  await settled();
  loaded[1]();
  await settled();
  assert.deepEqual([state.shown.name, state.chosen, state.layer], ["two", 0, 1]);
  clear(opening);
});

test("the chosen picture is called by its name as soon as that is known", () => {
  const names = new Map(),
    state = { shown: null, chosen: null, neighbours: null, features: "cls", layer: 0 },
    { node, draw } = createChosen(state, { pick() {}, openInExplorer() {} }),
    title = node.querySelector("h2"),
    image = node.querySelector("img");
  draw({ chosen: 1 });
  assert.equal(title.textContent, "");
  Object.assign(state, {
    shown: {
      gallery: { labels: [-1, 0], facts: { grid: [2, 2], classes: ["cat"] } },
      names: { of: (index) => names.get(index) ?? "…" },
      data: { url: (path) => `galleries/g/${path}` },
      thumbnails,
    },
    chosen: 1,
  });
  draw({ chosen: 1 });
  assert.deepEqual([title.textContent, image.src], ["…", "galleries/g/pictures/1.jpg"]);
  names.set(1, "cats/2.png");
  draw({ named: [1] });
  assert.deepEqual(
    [title.textContent, title.title, image.alt],
    ["2.png", "cats/2.png", "cats/2.png"],
  );
  assert.match(node.querySelector("dl").textContent, /Labelcat/);
  state.chosen = 0;
  draw({ chosen: 0 });
  assert.match(node.querySelector("dl").textContent, /Labelnone/);
});

test("the chart of the probes follows the classifier and the layer", async () => {
  const drawn = [],
    judged = mock.fn();
  globalThis.Plotly = { react: async (_place, data, layout) => drawn.push([data, layout]) };
  document.head.append = (script) => script.fire("load");
  const charts = (name) => ({ data: [name], layout: { meta: { title: name }, shapes: [{}] } });
  mock.method(globalThis, "fetch", async () =>
    Response.json({ knn: charts("knn"), logistic: charts("logistic") }),
  );
  const state = {
    shown: { data: { url: (what, { form }) => `${what}?form=${form}` }, gallery: { facts: {} } },
    probe: null,
    probeNever: false,
    probeMessage: "Not yet.",
    classifier: "knn",
    features: "cls",
    layer: 0,
  };
  const part = createProbes(state, { judge: judged, look: () => {} }),
    place = part.node.querySelector(".inside-plot"),
    change = async (next) => {
      Object.assign(state, next);
      part.draw(next);
      await settled();
      return drawn.at(-1);
    };
  place.offsetWidth = 100;
  place.on = () => {};
  await change({ probeMessage: "Not yet." });
  assert.deepEqual([part.state.words, place.style.visibility], ["Not yet.", "hidden"]);
  const facts = {
      kinds: ["cls"],
      methods: ["knn", "logistic"],
      words: "Judged",
      complete: true,
      chance: 0.5,
    },
    accuracy = Float32Array.from([0.5, 0.6, 0.7, 0.8]);
  const [data, layout] = await change({
    probe: { facts, accuracy, low: accuracy, high: accuracy },
  });
  assert.deepEqual([data, layout.shapes[0].x0], [["knn"], 0]);
  assert.equal((await change({ layer: 1 }))[1].shapes[0].x0, 1);
  assert.deepEqual((await change({ classifier: "logistic" }))[0], ["logistic"]);
  const count = drawn.length;
  await change({ hovered: 3 });
  assert.equal(drawn.length, count, "nothing of the chart has changed");
  part.node.querySelectorAll("button")[0].click();
  assert.deepEqual(judged.mock.calls[0].arguments, ["knn"]);
  await change({ probeNever: true });
  assert.ok(place.hidden);
  mock.restoreAll();
});

/** Nothing is asked any more. */
function clear(opening) {
  void opening.open("");
  mock.restoreAll();
}
