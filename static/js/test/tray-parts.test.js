/* The tray as a whole, on as much of a document as it asks for. */
import "./small-document.js";
import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { zipOf } from "../screens/gallery/zip.js";
import { settings } from "../settings.js";
const { create } = await import("../screens/tray/index.js");

settings.presets = [["paper", "Paper"]];
const CHOICES = {
  models: [["own", "Own"]],
  titles: { own: "Own" },
  samples: [..."abcdefgh"].map((letter) => `${letter}.jpg`).map((name) => [`sample/${name}`, name]),
  opened: {},
};
const VIEW = {
  key: "k",
  sample: "a.jpg",
  model: "own",
  size: 56,
  grid: [4, 4],
  layers: 2,
  heads: 2,
};

async function settled() {
  for (let i = 0; i < 10; i++) await new Promise((resolve) => setImmediate(resolve));
}

/** A tray on a server that has these choices and computes nothing. */
function opened() {
  const never = new Promise(() => {});
  mock.method(globalThis, "fetch", (url) =>
    String(url) === "tray/choices" ? Promise.resolve(Response.json(CHOICES)) : never,
  );
  const root = document.createElement("div"),
    shown = {},
    expose = (now) => Object.assign(shown, now),
    screen = create(root, { name: "tray", run: (work) => work(), expose, send() {} });
  return { root, shown, screen };
}

test("a new tray is filled with samples once, and another picture comes to the others", async () => {
  const { shown, screen } = opened();
  void screen.show(VIEW);
  await settled();
  assert.deepEqual(shown.rows.length, 4);
  void screen.show({ ...VIEW, key: "l", sample: "e.jpg" });
  await settled();
  assert.deepEqual(shown.rows.length, 5);
  mock.restoreAll();
});

test("of a zip as many pictures may come as there are rows left", async () => {
  const { root, screen } = opened();
  void screen.show(VIEW);
  await settled();
  const pictures = ["1.png", "2.png", "x.txt"].map((path) => ({
      path,
      file: new File(["x"], path),
    })),
    packed = await zipOf(pictures),
    zip = new File([packed], "more.zip");
  root.fire("drop", { dataTransfer: { types: ["Files"], files: [zip] } });
  await settled();
  const asked = root.querySelector(".inside-tray-zip");
  assert.ok(!asked.hidden);
  assert.match(asked.textContent, /more\.zip: 2 pictures\. 2 chosen, 8 have room\./);
  mock.restoreAll();
});
