/* The parts of Many pictures: the nearest and how they vote, and galleries that open and are awaited. */
import "./small-document.js";
import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { createNeighbours } from "../screens/gallery/neighbours.js";
import { Opening } from "../screens/gallery/opening.js";
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

const waiting = (name) => ({ name, seen: false, alive: true });

/** A server that answers when the test says so. */
function world() {
  const asked = [];
  mock.method(
    globalThis,
    "fetch",
    (url) =>
      new Promise((resolve) => {
        const says = (value, status = 200) => resolve(Response.json(value, { status }));
        asked.push({ url: String(url), says });
      }),
  );
  const state = { name: "", card: null, cards: [], shown: null, problem: "" },
    update = (change) => Object.assign(state, change),
    page = { run: (work) => work() };
  return { asked, state, opening: new Opening({ state, update, page, loading: {} }) };
}
const settled = () => new Promise((resolve) => setImmediate(resolve));

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

/** Nothing is asked any more. */
function clear(opening) {
  void opening.open("");
  mock.restoreAll();
}
