/* The tray's words, order and zips. */
import assert from "node:assert/strict";
import test from "node:test";
import { deflateRawSync } from "node:zlib";
import { changed, inPython, PLAIN } from "../screens/tray/colouring.js";
import {
  askedWord,
  chosenColumn,
  columnOf,
  columnsOf,
  titleOf,
  wordOf,
} from "../screens/tray/columns.js";
import { pythonLines, tableOf } from "../screens/tray/exports.js";
import { foundIn } from "../screens/tray/linked.js";
import { placeIn } from "../screens/tray/cells.js";
import {
  askedPatch,
  askedRow,
  createState,
  isPagePicture,
  moved,
  sortedBy,
} from "../screens/tray/state.js";
import { picturesIn, unpacked } from "../ui/unzip.js";

test("columns in words and back", () => {
  for (const word of [
    "input",
    "pca",
    "pca:8/1",
    "norms/11",
    "attention:11.3",
    "attention:4@",
    "similar@",
  ]) {
    const column = columnOf(word);
    assert.ok(column);
    assert.equal(wordOf(column), word);
  }
  for (const word of ["colours", "pca:1.2.3", "pca/123", "", "similar@1:2,3"])
    assert.equal(columnOf(word), null);
  const column = chosenColumn("attention@", { layer: 8, head: 3, model: 0 });
  assert.equal(askedWord(column, 2, [6, 12]), "attention:8.3@2:6,12");
});

test("columns stay with their models, whichever come and go", () => {
  const columns = ["input", "norms", "pca/1", "norms:2/2", "difference", "pca/3"]
    .map(columnOf)
    .filter((one) => one !== null);
  const words = (/** @type {string[]} */ before, /** @type {string[]} */ after) =>
    columnsOf(columns, before, after).map(wordOf).join(" ");
  assert.equal(words(["a", "b"], ["a", "b"]), "input norms pca/1 norms:2/2 difference");
  assert.equal(words(["a", "b"], ["a"]), "input norms pca/1 difference");
  assert.equal(words(["a", "b"], ["b"]), "input norms norms:2/1", "the difference was to a");
  assert.equal(words(["a", "b", "c"], ["b", "c"]), "input norms norms:2/1 pca/2");
  assert.equal(words(["a"], []), "input norms");
});

test("the models of a link are those that there are", () => {
  /** @type {[string, string][]} */
  const models = ["a", "b", "c"].map((name) => [name, name.toUpperCase()]);
  assert.deepEqual(foundIn(models, ["c", "x", "a", "c"]), ["c", "a"]);
  assert.deepEqual(foundIn(models, []), []);
});

test("what leaves the tray names the model of every column", () => {
  const facts = { layer: 1, head: null, query: null, numbers: [0.5], says: "most" };
  const columns = [
    { ...facts, word: "norms:1", view: "norms", model: 0 },
    { ...facts, word: "norms:1/2", view: "norms", model: 2 },
    { ...facts, word: "difference:1", view: "difference", model: 0 },
  ];
  const models = ["own", "b", "c"],
    rows = [{ id: "sample/x.jpg", name: "x.jpg" }],
    view = { model: "own", size: 56 },
    scene = { facts: { models, columns } };
  const shown = /** @type {any} */ ({ scene, rows, columns: [], others: ["b", "c"], view });
  const titles = shown.scene.facts.columns.map((/** @type {any} */ one) => titleOf(one, models)[1]);
  assert.deepEqual(titles, ["layer 1, own", "layer 1, c", "layer 1, to b"]);
  assert.equal(
    tableOf(shown).split("\n")[0],
    'picture,"norms:1 of own: most","norms:1/2 of c: most","difference:1 to b: most"',
  );
  const opened = { c: { weights: "c.pth" } };
  assert.match(
    pythonLines(shown, { opened, colouring: PLAIN }),
    /backbones = \[load_backbone\("own"\), load_backbone\("b"\), load_backbone\(weights="c.pth"\)\]/,
  );
  const own = { ...shown, rows: [...rows, { id: "own/1", name: "y.jpg" }] };
  assert.match(
    pythonLines(own, { opened, colouring: PLAIN }),
    /pictures = \["static\/samples\/x.jpg", "y.jpg"\]/,
    "samples lie with the project",
  );
});

test("the chosen patch stays with its picture, wherever that goes", () => {
  const rows = ["a", "b"].map((id) => ({ id, name: id })),
    view = null;
  const query = { row: "b", patch: /** @type {[number, number]} */ ([1, 2]) };
  assert.equal(askedRow({ rows, query, view }), 1);
  assert.equal(askedRow({ rows: moved(rows, 1, -1), query, view }), 0);
  assert.deepEqual(askedPatch({ rows, query, view }), [1, 2]);
  assert.deepEqual(askedPatch({ rows: rows.slice(0, 1), query, view }), [0, 0]);
});

test("what is drawn is what has changed", () => {
  const seen = [];
  const { update } = createState((state, change) => seen.push([state.busy, change]));
  update({ busy: true });
  assert.deepEqual(seen, [[true, { busy: true }]]);
});

test("which row is the page's picture", () => {
  const own = { id: "own/12ab", name: "x" };
  assert.ok(isPagePicture({ id: "sample/cat.jpg", name: "" }, { sample: "cat.jpg" }));
  assert.ok(isPagePicture(own, { sample: "", origin: "upload/12ab" }));
  assert.ok(isPagePicture({ ...own, origin: "upload/zz" }, { sample: "", origin: "upload/zz" }));
  assert.ok(!isPagePicture(own, { sample: "cat.jpg", origin: "upload/12ab" }));
  assert.ok(!isPagePicture(own, { sample: "" }));
});

test("rows by their numbers, and the other way round", () => {
  assert.deepEqual(sortedBy([1, 3, 2]), [1, 2, 0]);
  assert.deepEqual(sortedBy([3, 2, 1]), [2, 1, 0]);
  assert.deepEqual(moved(["a", "b"], 0, -1), ["a", "b"]);
});

test("a patch in another grid holds the middle of the first", () => {
  assert.deepEqual(placeIn([4, 1], [5, 4], [4, 6]), [3, 2]);
});

test("only what differs is asked for, and written in Python", () => {
  assert.deepEqual(changed(PLAIN), {});
  assert.equal(inPython(PLAIN), "");
  assert.equal(inPython({ ...PLAIN, robust: true }), "TraySettings(robust=True)");
  const other = { preset: "all-patches", flip: true, robust: true, k: 4 };
  assert.deepEqual(changed(other), other);
  assert.equal(
    inPython(other),
    'TraySettings(replace(PCA_PRESETS["all-patches"], flip=True), robust=True, k=4)',
  );
});

/**
 * A zip as any program writes it.
 *
 * @param {{ name: string, data: Uint8Array, method: number, size?: number }[]} files
 */
function zipOf(files) {
  /** @type {Buffer[]} */
  const [parts, list] = [[], []].map(() => /** @type {Buffer[]} */ ([]));
  let offset = 0;
  for (const { name, data, method, size = data.length } of files) {
    const packed = method === 8 ? deflateRawSync(data) : Buffer.from(data);
    const header = Buffer.alloc(30),
      entry = Buffer.alloc(46);
    header.writeUInt32LE(0x04034b50, 0);
    header.writeUInt16LE(name.length, 26);
    entry.writeUInt32LE(0x02014b50, 0);
    entry.writeUInt16LE(method, 10);
    entry.writeUInt32LE(packed.length, 20);
    entry.writeUInt32LE(size, 24);
    entry.writeUInt16LE(name.length, 28);
    entry.writeUInt32LE(offset, 42);
    parts.push(header, Buffer.from(name), packed);
    list.push(entry, Buffer.from(name));
    offset += 30 + name.length + packed.length;
  }
  const end = Buffer.alloc(22),
    length = list.reduce((sum, one) => sum + one.length, 0);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(files.length, 10);
  end.writeUInt32LE(length, 12);
  end.writeUInt32LE(offset, 16);
  return new Blob([...parts, ...list, end].map((part) => new Uint8Array(part)));
}

test("pictures out of a zip", async () => {
  const data = new Uint8Array(1000).fill(7);
  const zip = zipOf([
    { name: "a/one.jpg", data, method: 8 },
    { name: "two.PNG", data, method: 0 },
    { name: "notes.txt", data, method: 0 },
    { name: "__MACOSX/a/._one.jpg", data, method: 0 },
    { name: ".hidden.jpg", data, method: 0 },
    { name: "lies.jpg", data, method: 8, size: 10 },
  ]);
  const found = await picturesIn(zip);
  assert.deepEqual(
    found.map(({ name }) => name),
    ["a/one.jpg", "two.PNG", "lies.jpg"],
  );
  for (const entry of found.slice(0, 2)) {
    const file = await unpacked(zip, entry);
    assert.deepEqual(new Uint8Array(await file.arrayBuffer()), data);
  }
  assert.equal((await unpacked(zip, found[0])).name, "one.jpg");
  await assert.rejects(unpacked(zip, found[2]), /damaged/);
  await assert.rejects(picturesIn(new Blob(["no zip"])), /cannot be read/);
});
