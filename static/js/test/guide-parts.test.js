/* The card of the path and the light around what it speaks of. */
import { observers } from "./small-document.js";
import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { createCard } from "../guide/path/card.js";
import { createSpotlight } from "../guide/path/spotlight.js";

const stop = (name, more = {}) => ({
  name,
  title: name.toUpperCase(),
  before: [`before ${name}`],
  after: [`after ${name}`],
  question: "Which?",
  covers: "",
  ...more,
});
const STOPS = ["a", "b", "c"].map((name) => stop(name));

test("the card says where on the path it is, and what leads on", () => {
  const [move, goTo, leave, look] = [mock.fn(), mock.fn(), mock.fn(), mock.fn()];
  const { node, offer, show } = createCard({ move, goTo, leave, look });
  const [list, back, next] = ["select", "footer button", ".next"].map((one) =>
    node.querySelector(one),
  );
  offer(STOPS);
  const seen = STOPS.map((_, at) => {
    show(STOPS, at);
    return [
      list.value,
      node.querySelector(".count").textContent,
      node.querySelector("h2").textContent,
      back.disabled,
      next.textContent,
      Math.round(parseFloat(node.querySelector("i").style.width)),
    ];
  });
  assert.deepEqual(seen, [
    ["a", "1 of 3", "A", true, "Next", 33],
    ["b", "2 of 3", "B", false, "Next", 67],
    ["c", "3 of 3", "C", false, "Finish", 100],
  ]);
  back.click();
  next.click();
  assert.deepEqual(
    move.mock.calls.map((call) => call.arguments[0]),
    [-1, 1],
  );
  list.value = "b";
  list.fire("change");
  assert.deepEqual(goTo.mock.calls[0].arguments, ["b"]);
  node.querySelector(".leave").click();
  next.fire("keydown", { key: "Escape" });
  next.fire("keydown", { key: "Tab" });
  assert.deepEqual([leave.mock.callCount(), look.mock.callCount()], [2, 0]);
});

test("a question stands until it is answered, and the answer only then", () => {
  const { node, show, asks, tells, saysAll } = createCard({});
  const [ask, result, words] = [".asks", ".result", ".words"].map((one) => node.querySelector(one));
  show(STOPS, 0);
  assert.deepEqual([words.textContent, ask.textContent], ["before a", ""]);
  asks(STOPS[0], null);
  assert.equal(ask.textContent, "Which?Point at the picture.");
  const control = document.createElement("button");
  asks(STOPS[0], control);
  assert.equal(ask.textContent, "Which?", "nothing is covered");
  assert.ok(ask.contains(control));
  asks(stop("d", { covers: ".x" }), control);
  assert.match(ask.textContent, /covered until you answer/);
  tells(STOPS[0], "Yes.");
  assert.deepEqual([ask.textContent, result.textContent], ["Which?", "Yes.after a"]);
  show(STOPS, 1);
  assert.deepEqual([ask.textContent, result.textContent], ["", ""]);
  saysAll(STOPS[1]);
  assert.equal(words.textContent, "before bafter b");
});

test("the light goes around a part, follows it, and goes out", async () => {
  const heard = mock.fn(),
    light = createSpotlight(heard),
    part = document.createElement("div"),
    frame = () => new Promise((resolve) => setTimeout(resolve, 5));
  document.body.append(part);
  light.turnTo(part);
  await frame();
  assert.deepEqual([light.node.hidden, heard.mock.callCount()], [false, 0], "it has no room yet");
  part.box = { left: 30, top: 20, width: 100, height: 50 };
  light.place();
  await frame();
  const { left, width } = light.node.style;
  assert.ok(parseFloat(left) < 30 && parseFloat(left) + parseFloat(width) > 130);
  assert.equal(heard.mock.calls[0].arguments[0], part.box);
  assert.ok(observers.at(-1).observed.includes(part));
  light.turnTo(null);
  assert.deepEqual([light.node.hidden, observers.at(-1).observed], [true, []]);
  part.remove();
  light.turnTo(part);
  await frame();
  assert.equal(heard.mock.callCount(), 1, "what is no longer on the page has no place");
  light.end();
  assert.deepEqual(observers.at(-1).observed, []);
});
