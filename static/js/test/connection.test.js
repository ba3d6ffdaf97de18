/* A server that goes away and comes back, as the page sees it; nothing here waits for a clock. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createConnection, pause } from "../page/connection.js";
import { NetworkError } from "../page/errors.js";
import { isSame, keepFile, recipeOfView } from "../page/reopening.js";

/**
 * A connection to a server that the test starts and stops.
 *
 * @param {{ recovers?: boolean }} [server]
 */
function connected({ recovers = true } = {}) {
  const said = /** @type {string[]} */ ([]),
    pauses = /** @type {number[]} */ ([]);
  let asked = 0,
    recovered = 0,
    time = 0;
  /** @type {(() => void)[]} */
  const sleepers = [];
  const world = {
    up: false,
    connection: createConnection({
      ask: async () => {
        asked += 1;
        if (!world.up) throw new NetworkError();
        return "it";
      },
      recover: async () => {
        recovered += 1;
        return recovers;
      },
      tell: (state) => said.push(state),
      sleep: (ms) => {
        pauses.push(ms);
        return new Promise((resolve) => sleepers.push(() => resolve(undefined)));
      },
      now: () => time,
    }),
    said,
    pauses,
    get counts() {
      return { asked, recovered };
    },
    /** @param {number} ms */
    later(ms) {
      time += ms;
    },
    async goOn() {
      for (const wake of sleepers.splice(0)) wake();
      await settled();
    },
  };
  return world;
}

/** What has been promised is kept. */
const settled = () => new Promise((resolve) => setImmediate(resolve));
const lost = () => Promise.reject(new NetworkError());

test("the questions become seldom, up to one in 15 s", () => {
  const calm = [0, 1, 2, 3, 4, 5, 50].map((attempt) => pause(attempt, 0));
  assert.deepEqual(calm, [1000, 2000, 4000, 8000, 15000, 15000, 15000]);
  assert.equal(pause(50, 1), 12000, "pages do not ask as one");
});

test("while the server answers nobody is told and nobody asks", async () => {
  const { connection, said, counts } = connected();
  assert.equal(await connection.patiently(async () => 7), 7);
  await connection.sure();
  assert.deepEqual([said, counts], [[], { asked: 0, recovered: 0 }]);
});

test("what may be done twice waits for the server, and is done when it is back", async () => {
  const world = connected();
  let done = 0;
  const work = async () => (world.up ? (done += 1) : lost());
  const [one, other] = [world.connection.patiently(work), world.connection.patiently(work)];
  await settled();
  assert.deepEqual(world.said, ["away"], "once");
  await world.goOn();
  world.up = true;
  await world.goOn();
  assert.deepEqual(await Promise.all([one, other]), [1, 2]);
  assert.deepEqual(world.said, ["away", "here"]);
  assert.deepEqual(world.counts, { asked: 3, recovered: 1 });
  assert.equal(world.pauses.length, 2);
});

test("a single request without an answer is no server that is away", async () => {
  const world = connected();
  world.up = true;
  let tries = 0;
  const work = () => {
    tries += 1;
    return lost();
  };
  await assert.rejects(world.connection.patiently(work), NetworkError);
  assert.deepEqual([world.said, tries], [[], 3]);
  assert.equal(await world.connection.isAway(), false);
  const fault = async () => {
    throw new TypeError("a fault of the page");
  };
  await assert.rejects(world.connection.patiently(fault), TypeError);
});

test("what must not be done twice hears at once that the server is away", async () => {
  const world = connected();
  assert.equal(await world.connection.isAway(), true);
  assert.equal(await world.connection.isAway(), true);
  assert.deepEqual([world.said, world.counts.asked], [["away"], 1]);
});

test("a server that goes again while the page recovers is away", async () => {
  const world = connected();
  let refused = 0;
  const connection = createConnection({
    ask: async () => "it",
    recover: async () => ((refused += 1) < 3 ? lost() : true),
    tell: (state) => world.said.push(state),
    sleep: async () => {},
  });
  await connection.lost();
  assert.deepEqual([world.said, refused], [["away", "here"], 3]);
});

test("a server that is slow is not away, even when the question is asked anew", async () => {
  const said = /** @type {string[]} */ ([]),
    answers = /** @type {(() => void)[]} */ ([]);
  const connection = createConnection({
    ask: (signal) =>
      new Promise((resolve, reject) => {
        signal.addEventListener("abort", () => reject(new NetworkError()));
        answers.push(() => resolve("it"));
      }),
    recover: async () => true,
    tell: (state) => said.push(state),
  });
  const found = connection.lost();
  await settled();
  connection.knock();
  await settled();
  assert.equal(answers.length, 2);
  answers[1]?.();
  await found;
  assert.deepEqual(said, []);
});

test("a page that is too old for the server asks for nothing more", async () => {
  const world = connected({ recovers: false });
  world.up = true;
  let done = false;
  void world.connection.patiently(lost).then(() => (done = true));
  await settled();
  assert.deepEqual(world.said, ["outdated"]);
  assert.equal(await world.connection.isAway(), true);
  await settled();
  assert.deepEqual([done, world.counts.asked], [false, 1]);
});

test("who no longer wants an answer does not wait for the server", async () => {
  const world = connected(),
    given = new AbortController(),
    waiting = world.connection.patiently(lost, given.signal);
  await settled();
  given.abort();
  await assert.rejects(waiting, { name: "AbortError" });
});

test("a change of the network is a reason to ask now", async () => {
  const world = connected();
  void world.connection.lost();
  await settled();
  world.up = true;
  world.connection.knock();
  await settled();
  assert.deepEqual(world.said, ["away", "here"]);
  world.connection.knock();
  await settled();
  assert.equal(world.counts.asked, 2, "it has answered just now");
  world.later(60_000);
  world.connection.knock();
  await settled();
  assert.equal(world.counts.asked, 3);
});

test("a page goes on with the same page and the same weights", () => {
  const before = { server: "a", page: "p", models: { preview: "1", large: "2" } };
  assert.ok(isSame(before, { ...before, server: "b" }, "preview"));
  assert.ok(isSame(before, { ...before, models: { preview: "1" } }, "preview"));
  assert.ok(!isSame(before, { ...before, models: { preview: "9" } }, "preview"));
  assert.ok(!isSame(before, { ...before, models: {} }, "preview"), "it is no longer there");
  assert.ok(!isSame(before, { ...before, page: "q" }, "preview"));
  assert.ok(isSame(before, { ...before, models: {} }, "downloaded since"));
});

test("how a picture is opened again", () => {
  const shown = { model: "preview", size: 448, sample: "" },
    { model, size } = shown,
    file = new File(["x"], "x.png");
  keepFile("/tmp/gradio/0a1b/x.png", file);
  assert.deepEqual(recipeOfView({ ...shown, origin: "upload/0a1b" }), {
    ...{ model, size, upload: "0a1b", file },
  });
  assert.equal(recipeOfView({ ...shown, origin: "upload/other" }).file, null);
  assert.deepEqual(recipeOfView({ ...shown, origin: "gallery/own-1/7" }), {
    ...{ model, size, gallery: "own-1", index: "7" },
  });
  assert.equal(recipeOfView({ ...shown, sample: "cat.jpg" }).sample, "cat.jpg");
  for (const name of ["a", "b", "c", "d"]) keepFile(`C:\\gradio\\${name}\\x.png`, file);
  assert.equal(recipeOfView({ ...shown, origin: "upload/0a1b" }).file, null, "the newest are kept");
  assert.equal(recipeOfView({ ...shown, origin: "upload/d" }).file, file);
});
