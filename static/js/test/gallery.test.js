/* Many pictures, without a browser: what is packed, what is told, what is read best. */
import assert from "node:assert/strict";
import { test } from "node:test";
import zlib from "node:zlib";
import { bestOf, scoreOf, scoresOf } from "../ui/probe-scores.js";
import { GalleryData } from "../screens/gallery/data.js";
import { groupCounts } from "../screens/gallery/legend.js";
import { Names } from "../screens/gallery/names.js";
import { matchedPoints } from "../screens/gallery/second.js";
import * as sentences from "../screens/gallery/sentences.js";
import {
  createState,
  currentPredictions,
  describePicture,
  findPictures,
  groupsOf,
  isMapOld,
  probeKey,
} from "../screens/gallery/state.js";
import { crc32, isPicture, zipOf } from "../screens/gallery/zip.js";

// ---------- packing

/** The files of a stored zip, found from its directory. @param {Uint8Array} bytes */
function unpack(bytes) {
  const view = new DataView(bytes.buffer),
    end = bytes.length - 22,
    text = (/** @type {number} */ at, /** @type {number} */ size) =>
      new TextDecoder().decode(bytes.subarray(at, at + size));
  assert.equal(view.getUint32(end, true), 0x06054b50);
  /** @type {Record<string, Uint8Array>} */
  const files = {};
  let at = view.getUint32(end + 16, true);
  assert.equal(at + view.getUint32(end + 12, true), end, "the directory ends where the end begins");
  for (let i = 0; i < view.getUint16(end + 10, true); i++) {
    assert.equal(view.getUint32(at, true), 0x02014b50);
    const [crc, size, length] = [
        view.getUint32(at + 16, true),
        view.getUint32(at + 24, true),
        view.getUint16(at + 28, true),
      ],
      local = view.getUint32(at + 42, true),
      name = text(at + 46, length);
    assert.equal(view.getUint32(local, true), 0x04034b50);
    assert.equal(text(local + 30, length), name);
    files[name] = bytes.slice(local + 30 + length, local + 30 + length + size);
    assert.equal(zlib.crc32(files[name]), crc);
    at += 46 + length;
  }
  return files;
}

const given = (/** @type {string} */ path, /** @type {string} */ text) => ({
  path,
  file: new File([text], path),
});

test("a folder becomes a zip of its pictures and nothing else", async () => {
  const files = [
    given("holiday/sea/ä.png", "one"),
    given("holiday/b.JPG", "two, longer"),
    given("holiday/notes.txt", "no picture"),
    given("holiday/.thumbs/c.png", "hidden"),
    given("__MACOSX/holiday/b.JPG", "of the system"),
    given("holiday/empty.webp", ""),
  ];
  const blob = await zipOf(files),
    found = unpack(new Uint8Array(await blob.arrayBuffer()));
  const decoded = Object.entries(found).map(([name, data]) => [
    name,
    new TextDecoder().decode(data),
  ]);
  assert.deepEqual(decoded, [
    ["holiday/sea/ä.png", "one"],
    ["holiday/b.JPG", "two, longer"],
    ["holiday/empty.webp", ""],
  ]);
});

test("a folder without pictures is refused in words", async () => {
  await assert.rejects(zipOf([given("a/notes.txt", "x")]), /There are no pictures/);
  await assert.rejects(zipOf([]), { name: "Error", message: /no pictures/ });
});

test("checksums are those of zlib, and pictures are known by their endings", () => {
  const bytes = Uint8Array.from({ length: 1000 }, (_, i) => (i * 37) % 256);
  assert.equal(crc32(bytes), zlib.crc32(bytes));
  assert.equal(crc32(new Uint8Array(0)), 0);
  assert.ok(["a.jpg", "b/c.JPEG", "d.heic", "e.avif", "f.tif"].every(isPicture));
  assert.ok(!["jpg", "a.jpg.txt", "b.zip", "c.pdf"].some(isPicture));
});

// ---------- words

/** @returns {import("../screens/gallery/state.js").Card} */
const card = (/** @type {object} */ change = {}) => ({
  name: "one",
  title: "holiday.zip",
  mine: true,
  pictures: 20,
  classes: 3,
  model: "preview_vits14",
  size: 98,
  state: "ready",
  words: "Everything is there.",
  done: 20,
  total: 20,
  seconds_left: null,
  broken: [],
  broken_count: 0,
  left_out: [],
  left_out_count: 0,
  notes: [],
  alive: false,
  seen: true,
  doing: "",
  actions: [],
  ...change,
});

test("a gallery in a sentence: what it holds, what could not be read, what was left out", () => {
  assert.equal(sentences.cardSentence(card()), "20 pictures · 3 classes · preview_vits14 at 98 px");
  const lacking = card({ broken_count: 2, left_out_count: 1, classes: 0 });
  assert.equal(
    sentences.cardSentence(lacking),
    "18 pictures · without labels · preview_vits14 at 98 px · 2 files could not be read · 1 " +
      "file was left out",
  );
  const waiting = card({ seen: false, alive: true, words: "Looking.", seconds_left: 200 });
  assert.equal(sentences.cardSentence(waiting), "Looking. · 3 min left");
  const making = card({ alive: true, doing: "UMAP of layer 11" });
  assert.ok(sentences.cardSentence(making).endsWith(" · UMAP of layer 11"));
});

test("what is not in a gallery is counted and named", () => {
  assert.equal(sentences.omittedTitle(card()), "");
  assert.equal(
    sentences.omittedTitle(card({ notes: ["train and val are splits."] })),
    "How the folders were understood",
  );
  assert.equal(
    sentences.omittedTitle(card({ broken_count: 1, left_out_count: 3 })),
    "1 file could not be read, 3 files were left out",
  );
  assert.deepEqual(sentences.namedFiles([["a.txt", "no picture"]], 1), ["a.txt: no picture"]);
  assert.deepEqual(sentences.namedFiles([["a.txt", "no picture"]], 4), [
    "a.txt: no picture",
    "… and 3 more",
  ]);
});

test("times, and what stands where the map will be", () => {
  assert.deepEqual([0.2, 59, 120, 7200].map(sentences.duration), ["1 s", "59 s", "2 min", "2.0 h"]);
  assert.equal(sentences.emptySentence(card()), "Opening holiday.zip …");
  const [failed, made, stopped] = [
    card({ seen: false, state: "failed" }),
    card({ seen: false, alive: true }),
    card({ seen: false }),
  ].map(sentences.emptySentence);
  assert.match(failed, /could not be made/);
  assert.match(made, /comes as soon as/);
  assert.match(stopped, /was stopped/);
});

test("how a map was made", () => {
  const scene = (/** @type {string} */ method, /** @type {object} */ facts) => ({
    xy: new Float32Array(0),
    shapes: { xy: /** @type {[number, 2]} */ ([0, 2]) },
    facts: {
      features: "cls",
      layer: 3,
      method,
      facts: {
        parameters: {},
        seed: null,
        explained: null,
        trustworthiness: null,
        seconds: 1,
        words: "",
        ...facts,
      },
    },
  });
  assert.equal(
    sentences.mapSentence(scene("pca", { explained: [0.25, 0.1], words: "Plain." })),
    "PCA: 25.0 % and 10.0 % of the variance. Plain.",
  );
  const parameters = { neighbours: 15, min_distance: 0.10000001, metric: "cosine" };
  assert.equal(
    sentences.mapSentence(scene("umap", { parameters, seed: 0, trustworthiness: 0.98765 })),
    "UMAP: neighbours 15, min distance 0.1, metric cosine, seed 0, trustworthiness 0.988. ",
  );
});

// ---------- groups and pictures

/** A state that shows three pictures of two classes. */
function shownState() {
  const { state, update } = createState(() => {});
  const gallery = {
    labels: Int32Array.of(0, 1, -1),
    facts: { names: ["cats/Tom.png", "dogs/rex.png", "x.png"], classes: ["cats", "dogs"] },
  };
  const names = new Names(
    /** @type {any} */ (gallery),
    () => "",
    () => {},
  );
  const shown = /** @type {any} */ ({ name: "one", gallery, names });
  update({ shown, colour: "label", layer: 3 });
  return { state, update, gallery: shown.gallery };
}

test("colours stand for labels, clusters or predictions, and for nothing until those are there", () => {
  const { state, update } = shownState();
  assert.deepEqual(Array.from(groupsOf(state)), [0, 1, -1]);
  update({ colour: "cluster" });
  assert.deepEqual(Array.from(groupsOf(state)), [], "not the labels under another name");
  update({ clusters: /** @type {any} */ ({ labels: Int32Array.of(1, 0, -1) }) });
  assert.equal(describePicture(state, 0), "cats/Tom.png\ncats\nCluster 1");
  assert.equal(describePicture(state, 2), "x.png\nIn no cluster");
  assert.deepEqual(groupCounts([2, -1, 0, 2, -1, -1]), [
    [0, 1],
    [2, 2],
    [-1, 3],
  ]);
});

test("predictions and maps of another layer are not taken for those of this one", () => {
  const { state, update } = shownState(),
    predictions = /** @type {any} */ ({ labels: Int32Array.of(0, 0, -1) });
  update({ predictions, predicted: probeKey(state) });
  assert.equal(currentPredictions(state), predictions);
  update({ points: /** @type {any} */ ({ facts: { features: "cls", layer: 3, method: "pca" } }) });
  assert.ok(!isMapOld(state));
  update({ layer: 2 });
  assert.equal(currentPredictions(state), null);
  assert.ok(isMapOld(state));
});

test("a search finds names and labels, whatever their case", () => {
  const { gallery } = shownState();
  assert.deepEqual(findPictures(gallery, " TOM "), [0]);
  assert.deepEqual(findPictures(gallery, "dog"), [1]);
  assert.deepEqual(findPictures(gallery, "png"), [0, 1, 2]);
  assert.deepEqual(findPictures(gallery, "cow"), []);
});

test("two galleries are matched by the names of their pictures", () => {
  const here = { names: ["a", "b", "c"], xy: Float32Array.of(1, 1, 2, 2, 3, 3) },
    there = { names: ["c", "a"], xy: Float32Array.of(30, 31, 10, 11) };
  assert.deepEqual([...matchedPoints(here, there)], [10, 11, 2, 2, 30, 31]);
});

// ---------- probes

test("the best of all layers, features and classifiers is found", () => {
  const accuracy = new Float32Array(2 * 3 * 2).fill(NaN);
  accuracy[(0 * 3 + 1) * 2 + 1] = 0.5; // layer 0, mean patch, logistic
  accuracy[(1 * 3 + 2) * 2 + 0] = 0.75; // layer 1, both, k-NN
  const shapes = /** @type {const} */ ([2, 3, 2]);
  const probe = /** @type {any} */ ({
    accuracy,
    low: accuracy.map((one) => one - 0.125),
    high: accuracy.map((one) => one + 0.125),
    shapes: { accuracy: shapes, low: shapes, high: shapes },
    facts: { kinds: ["cls", "mean_patch", "both"], methods: ["knn", "logistic"] },
  });
  const best = {
    layer: 1,
    features: "both",
    classifier: "knn",
    accuracy: 0.75,
    low: 0.625,
    high: 0.875,
  };
  assert.deepEqual(bestOf(probe), best);
  assert.equal(scoresOf(probe).length, 2);
  const choice = /** @type {const} */ ({
    layer: 0,
    features: "mean_patch",
    classifier: "logistic",
  });
  assert.equal(scoreOf(probe, choice)?.accuracy, 0.5);
  assert.equal(scoreOf(probe, { ...choice, layer: 1 }), null, "still to be judged");
  accuracy.fill(NaN);
  assert.equal(bestOf(probe), null);
});

// ---------- the server

test("what is still being computed is asked for again, what is there is kept", async (t) => {
  const answers = [
    new Response("Making it.", { status: 202 }),
    new Response("Still.", { status: 202 }),
  ];
  /** @type {string[]} */
  const asked = [];
  t.mock.method(globalThis, "fetch", async (/** @type {string} */ url) => {
    asked.push(url);
    return answers.shift() ?? new Response("No such gallery.", { status: 404 });
  });
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const data = new GalleryData("one");
  assert.equal(
    data.url("points", { layer: 0, like: null, k: undefined }),
    "galleries/one/points?layer=0",
  );
  /** @type {string[]} */
  const words = [];
  const settled = data.settle("neighbours", {
    picture: 5,
    query: { k: 3 },
    still: () => true,
    onwait: (text) => words.push(text),
  });
  const refused = assert.rejects(settled, /No such gallery/);
  for (let i = 0; i < 40; i++) {
    await new Promise((done) => setImmediate(done));
    t.mock.timers.tick(1500);
  }
  await refused;
  assert.deepEqual(words, ["Making it.", "Still."]);
  assert.deepEqual(asked, Array(3).fill("galleries/one/neighbours/5?k=3"));
});
