/* The guide's words and terms, without a page. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { cutAt, matcherOf, termOfTex, termsFor } from "../guide/terms.js";

const term = (name, words = [], screens = []) => ({ name, words: [name, ...words], screens });
const TERMS = [
  term("token", ["tokens"]),
  term("class token"),
  term("DINO"),
  term("ln K", ["$\\ln K$"]),
  term("key", [], ["attention"]),
];

/** @param {string} text @param {Set<string>} [seen] */
const cut = (text, seen = new Set()) =>
  cutAt(text, matcherOf(TERMS)(text), seen).map((piece) =>
    typeof piece === "string" ? piece : [piece.term.name, piece.word],
  );

test("the longest word is the term, and each term is marked once", () => {
  assert.deepEqual(cut("The class token is a token. Tokens and a class token."), [
    "The ",
    ["class token", "class token"],
    " is a ",
    ["token", "token"],
    ". Tokens and a class token.",
  ]);
});

test("a term is a whole word, whatever its case", () => {
  assert.deepEqual(cut("DINOv2 and tokenise"), ["DINOv2 and tokenise"]);
  assert.deepEqual(cut("Token"), [["token", "Token"]]);
  assert.deepEqual(cut("token", new Set(["token"])), ["token"]);
});

test("a text without terms stays whole, and one that is all term leaves nothing beside it", () => {
  assert.deepEqual(cut(""), []);
  assert.deepEqual(cut("DINO"), [["DINO", "DINO"]]);
  assert.deepEqual(matcherOf([])("token"), []);
});

test("a formula is a term by its TeX, and terms belong to screens", () => {
  assert.equal(termOfTex(TERMS, "\\ln K")?.name, "ln K");
  assert.equal(termOfTex(TERMS, "K"), null);
  assert.equal(termsFor(TERMS, "losses").length, 4);
  assert.equal(termsFor(TERMS, "attention").length, 5);
});
