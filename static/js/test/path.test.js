/* The path: where its card stands, what a stop selects, and how far an answer is, without a page. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { placeCard, scrollTo } from "../guide/path/placing.js";
import { among, apart, away, ordinal, rankOf } from "../guide/questions/distance.js";
import { piecesOf, scriptsOf } from "../guide/words.js";

const CARD = { width: 360, height: 300 };
const room = (width, height = 900, top = 140) => ({ width, height, top });
const box = (left, top, width, height) => ({ left, top, width, height });

test("the card stands beside the part, on the side that has room", () => {
  assert.deepEqual(placeCard(box(336, 160, 540, 360), CARD, room(1440)), {
    left: 894,
    top: 160,
    side: "right",
  });
  assert.equal(placeCard(box(900, 160, 506, 360), CARD, room(1440)).left, 900 - 18 - 360);
  assert.equal(placeCard(box(20, 160, 760, 200), CARD, room(800)).side, "below");
  assert.equal(placeCard(box(20, 560, 760, 300), CARD, room(800)).side, "above");
  assert.equal(placeCard(box(12, 160, 366, 500), CARD, room(390)).side, "bottom");
});

test("beside a part it never leaves the window", () => {
  for (const top of [-500, 100, 850]) {
    const place = placeCard(box(336, top, 540, 360), CARD, room(1440));
    assert.ok(place.top >= 140 && place.top + CARD.height <= 900, `${top}: ${place.top}`);
  }
});

test("a part is scrolled to below the strip", () => {
  assert.equal(scrollTo(box(0, 500, 1, 1), 140), 500 - 140 - 18);
});

test("an answer is told by its distance", () => {
  const patches = (value) => `${Math.round(value)} patches`;
  assert.equal(
    apart(400, 384, patches),
    "You said 400 patches. It is 384 patches: 16 patches less.",
  );
  assert.equal(apart(300, 384, patches).endsWith("84 patches more."), true);
  assert.equal(apart(384.2, 384, patches), "You said 384 patches, and so it is.");
  assert.ok(
    apart(
      10,
      5,
      (v) => `step ${v}`,
      (v) => `${v} steps`,
    ).endsWith("5 steps less."),
  );
  const measure = ([row, col]) => `${row}/${col}`;
  assert.ok(away([0, 0], [3, 4], measure).includes("row 3, column 4: 3/4, 5.0 patches away"));
  assert.ok(away([3, 4], [3, 4], measure).includes("that one it is"));
  const how = { label: (i) => `head ${i}`, measure: (i) => `${i} px`, rank: "the 2nd farthest" };
  assert.equal(among(1, 2, how), "You chose head 1: 1 px, the 2nd farthest. It is head 2: 2 px.");
  assert.equal(among(2, 2, how), "You chose head 2, and that one it is: 2 px.");
});

test("ranks count from 1, and equals share one", () => {
  assert.deepEqual(
    [0, 1, 2, 3].map((i) => rankOf([5, 9, 5, 1], i, true)),
    [2, 1, 2, 4],
  );
  assert.equal(rankOf([5, 9, 1], 2, false), 1);
  const words = [1, 2, 3, 4, 11, 12, 13, 21, 22, 101, 111].map(ordinal).join(" ");
  assert.equal(words, "1st 2nd 3rd 4th 11th 12th 13th 21st 22nd 101st 111th");
});

test("words are cut into what they say", () => {
  assert.deepEqual(piecesOf("A *b* **c** {losses.k}, [d](masks)"), [
    { kind: "text", text: "A " },
    { kind: "emphasis", text: "b" },
    { kind: "text", text: " " },
    { kind: "strong", text: "c" },
    { kind: "text", text: " " },
    { kind: "number", text: "losses.k" },
    { kind: "text", text: ", " },
    { kind: "way", text: "d", screen: "masks" },
  ]);
  assert.deepEqual(scriptsOf("x_i + A_{ij}^2"), [
    ["x", ""],
    ["i", "sub"],
    [" + A", ""],
    ["ij", "sub"],
    ["2", "sup"],
  ]);
});
