/* The controls of the colours, and the pictures of a pair with the patches that are marked. */
import "./small-document.js";
import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { compareWay } from "../screens/features/compare/index.js";
import { initialCompare } from "../screens/features/compare/state.js";
import { createLoading } from "../screens/features/loading.js";
import { createControls } from "../screens/features/colours/controls.js";
import { initialColours } from "../screens/features/colours/state.js";
import { initialPair } from "../screens/features/pair/state.js";
import { createPictures } from "../screens/features/pair/pictures.js";
import { settings } from "../settings.js";

settings.presets = [
  ["paper", "Paper"],
  ["all-patches", "All patches"],
];
for (const name of ["blue-red", "magma"])
  settings.colours[name] = Array.from({ length: 256 }, (_, i) => [i, 0, 255 - i]);

const CONFIG = {
  foreground: true,
  threshold: 0,
  median: false,
  whiten: false,
  colours: "minmax",
  components: [0, 1, 2],
};
const press = (node, text) =>
  node
    .querySelectorAll("button")
    .find((one) => one.textContent === text)
    .click();

/** A screen whose state is this one; `asked` counts what is fetched anew. */
function screenOf(state) {
  const screen = { state, asked: 0, isSeen: () => false, pointing: {} };
  screen.update = (change) => Object.assign(state, change);
  screen.reload = () => screen.asked++;
  return screen;
}

test("a preset takes back what was changed, and a change leaves the other changes", () => {
  const colouring = { preset: "paper", flip: false, changes: {} },
    screen = screenOf({ colouring, colours: initialColours() }),
    { node, draw } = createControls(screen),
    show = (config = CONFIG) =>
      draw({ scene: { facts: { config } }, colouring: screen.state.colouring }),
    more = node.querySelector("summary");
  show();
  assert.equal(more.textContent, "More");
  press(node, "Whiten");
  press(node, "3 × 3 median");
  assert.deepEqual(screen.state.colouring.changes, { whiten: true, median: true });
  show();
  assert.equal(more.textContent, "More: 2 settings differ from the preset");
  press(node, "Swap foreground and background");
  assert.ok(screen.state.colouring.flip);
  press(node, "All patches");
  assert.deepEqual(screen.state.colouring, { preset: "all-patches", flip: true, changes: {} });
  assert.equal(screen.asked, 4);
  const [, , blue] = node.querySelectorAll("select");
  screen.state.colours.loaded = {
    scene: { facts: { config: { ...CONFIG, components: [3, 1, 0] } } },
  };
  blue.value = "2";
  blue.fire("change");
  assert.deepEqual(screen.state.colouring.changes, { components: [3, 1, 2] });
  show({ ...CONFIG, foreground: false });
  const find = (text) => node.querySelectorAll("button").find((one) => one.textContent === text);
  assert.ok(find("Swap foreground and background").disabled, "there is none");
  assert.ok(find("3 × 3 median").disabled);
  press(node, "Outline");
  assert.deepEqual(
    [screen.state.colours.outlined, screen.asked],
    [true, 5],
    "the model is not asked",
  );
});

test("of two pictures each has its own patch marked, whichever is asked from", () => {
  const state = { pair: initialPair(), view: null },
    { node, draw, arrange, layers } = createPictures(
      screenOf(state),
      () => {},
      document.createElement("div"),
    );
  const loaded = {
    view: { key: "a", grid: [2, 3], input_size: [30, 20] },
    second: { key: "b", grid: [4, 2], input_size: [20, 40], words: "another" },
    scene: { facts: { grid: [2, 3], second_grid: [4, 2] } },
    joint: {},
  };
  state.pair.similar = [new Float32Array(6), new Float32Array(8)];
  const marked = () =>
    ["left", "right"].map((side) => {
      const { marker } = layers()[side];
      return [marker.style.transform, marker.classList.contains("pinned")];
    });
  draw(loaded, { isFirst: true, from: 4, to: 7, isKept: true });
  assert.deepEqual(marked(), [
    ["translate(100%, 100%)", true],
    ["translate(100%, 300%)", true],
  ]);
  draw(loaded, { isFirst: false, from: 7, to: 4, isKept: false });
  assert.deepEqual(marked(), [
    ["translate(100%, 100%)", false],
    ["translate(100%, 300%)", false],
  ]);
  assert.deepEqual(
    [layers().left, layers().right].map(({ overlay }) => [overlay.height, overlay.width]),
    [
      [2, 3],
      [4, 2],
    ],
  );
  state.pair.shows = "picture";
  draw(loaded, { isFirst: true, from: 0, to: 0, isKept: true });
  assert.equal(layers().left.overlay.style.opacity, "0");
  assert.ok(node.querySelector(".inside-legend-place").classList.contains("unused"));
  const [, second] = node.querySelectorAll("figure");
  for (const choosing of [true, false]) {
    arrange({ choosing, second: null });
    assert.equal(second.hidden, choosing);
  }
});

test("what is shown is late until the newest that was asked for has come", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const answers = [],
    ways = ["a", "b"].map((name) => ({
      name,
      node: document.createElement("div"),
      load: () => new Promise((resolve) => answers.push(resolve)),
      needs: () => [],
    })),
    state = { view: { dim: 48, grid: [2, 3], layers: 2 }, around: {} },
    screen = screenOf(state);
  let open = ways[0];
  const loading = createLoading(screen, () => open),
    isLate = () => ways.map(({ node }) => node.classList.contains("inside-late"));
  const first = loading.load();
  mock.timers.tick(100);
  assert.deepEqual(isLate(), [false, false], "what comes soon is not dimmed");
  mock.timers.tick(100);
  assert.deepEqual(isLate(), [true, false]);
  const second = loading.load();
  mock.timers.tick(200);
  answers[0]();
  await first;
  assert.deepEqual(isLate(), [true, false], "an older one has come");
  answers[1]();
  await second;
  assert.deepEqual(isLate(), [false, false]);
  void loading.load();
  mock.timers.tick(200);
  open = ways[1];
  void loading.load();
  mock.timers.tick(200);
  assert.deepEqual(isLate(), [false, true], "another way of looking");
  const before = screen.asked;
  loading.resume();
  assert.equal(screen.asked, before, "nothing has waited");
  loading.follow();
  mock.timers.tick(2000);
  assert.equal(screen.asked, before + 1, "the layer rests");
  mock.timers.reset();
});

test("the neighbouring layers of a comparison are those of what is compared now", () => {
  const [view, other] = ["k", "l"].map((key) => ({ key, layers: 3, grid: [2, 3] })),
    state = { compare: initialCompare(), view },
    way = compareWay(screenOf(state));
  assert.deepEqual(way.needs({ view, layer: 1 }), [], "nothing is compared yet");
  const colouring = { preset: "paper", flip: false, changes: {} },
    second = { key: "s" };
  state.compare.loaded = { view, second, layer: 0, secondLayer: 2, colouring };
  const [comparison, patches] = way.needs({ view, layer: 1 });
  assert.match(comparison, /k\/comparison\/1\?.*second_layer=2&second=s/);
  assert.match(patches, /k\/.*1/);
  assert.deepEqual(way.needs({ view: other, layer: 1 }), [], "another picture");
});
