/* A figure for print: which view, which kind of file, how wide; and its caption. */
import "./small-document.js";
import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { printing } from "../page/print.js";

const press = (node, text) =>
  node
    .querySelectorAll("button")
    .find((one) => one.textContent === text)
    .click();

async function settled() {
  for (let i = 0; i < 10; i++) await new Promise((resolve) => setImmediate(resolve));
}

test("what is chosen is what is saved, with its caption", async () => {
  mock.method(globalThis, "fetch", async (url) => new Response(`caption of ${url}`));
  const saved = [],
    url = ({ kind, width, caption = false }, what) =>
      `${what}.${kind}?${width}${caption ? "&c" : ""}`,
    part = printing(url, async (href) => saved.push(href), [
      ["heads", "Heads"],
      ["rollout", "Rollout"],
    ]),
    { panel, fold } = part,
    save = async () => {
      press(panel, "Save");
      await settled();
      return [saved.at(-1), panel.querySelector(".inside-caption").textContent];
    };
  assert.ok(panel.hidden);
  fold.click();
  assert.deepEqual([panel.hidden, fold.getAttribute("aria-expanded")], [false, "true"]);
  assert.deepEqual(await save(), ["heads.svg?column", "caption of heads.svg?column&c"]);
  press(panel, "Rollout");
  press(panel, "PDF");
  press(panel, "Two columns, 183 mm");
  assert.equal((await save())[0], "rollout.pdf?page");
  part.offer(false);
  assert.ok(panel.querySelector('[aria-label="View"]').hidden);
  assert.equal((await save())[0], "heads.pdf?page", "there is no other view any more");
  part.offer(true);
  assert.ok(!panel.querySelector('[aria-label="View"]').hidden);
  part.enable(false);
  assert.deepEqual([fold.hidden, panel.hidden], [true, true]);
  mock.method(
    globalThis,
    "fetch",
    async () => new Response("Choose a patch first.", { status: 422 }),
  );
  const count = saved.length;
  assert.equal((await save())[1], "Choose a patch first.");
  assert.equal(saved.length, count, "and nothing is saved");
  mock.restoreAll();
});
