/* Sliders, choices, toggles and lists: what is set is shown and told to nobody. */
import "./small-document.js";
import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { choice, pick, slider, toggle } from "../ui/controls.js";
import { PatchPicture } from "../ui/patch-picture.js";

test("a slider says its value, however that was set", () => {
  const told = mock.fn(),
    format = (value) => `${value} px`,
    part = slider("Size", { min: 0, max: 9, value: 4, format, oninput: told }),
    output = part.node.querySelector("output"),
    said = () => [output.textContent, part.input.getAttribute("aria-valuetext")];
  assert.deepEqual(said(), ["4 px", "4 px"]);
  part.set(7);
  assert.deepEqual([...said(), told.mock.callCount()], ["7 px", "7 px", 0]);
  part.input.value = "2";
  part.input.fire("input");
  assert.deepEqual([...said(), told.mock.calls[0].arguments[0]], ["2 px", "2 px", 2]);
  part.limit(3);
  part.rename("Width");
  assert.deepEqual([part.input.max, part.input.getAttribute("aria-label")], ["3", "Width"]);
});

test("one of several is pressed, a toggle is or is not, a list keeps its choice", () => {
  const told = mock.fn(),
    one = choice(
      "Kind",
      [
        ["a", "A"],
        ["b", "B"],
      ],
      "a",
      told,
    ),
    pressed = () =>
      one.node.querySelectorAll('[aria-pressed="true"]').map((node) => node.textContent);
  one.node.querySelectorAll("button")[1].click();
  assert.deepEqual([pressed(), told.mock.calls[0].arguments], [["B"], ["b"]]);
  one.set("a");
  assert.deepEqual([pressed(), told.mock.callCount()], [["A"], 1]);
  const two = toggle("On", "", true, told);
  two.node.click();
  assert.deepEqual(told.mock.calls[1].arguments, [false]);
  two.set(true);
  two.node.click();
  assert.deepEqual(told.mock.calls[2].arguments, [false]);
  const list = pick(
    "Of",
    [
      ["x", "X"],
      ["y", "Y"],
    ],
    "y",
    told,
  );
  assert.equal(list.input.value, "y");
  list.fill(
    [
      ["y", "Y"],
      ["z", "Z"],
    ],
    "z",
  );
  assert.equal(list.input.value, "z");
  list.set("y");
  list.input.fire("change");
  assert.deepEqual(told.mock.calls[3].arguments, ["y"]);
});

test("a picture in patches tells where the pointer and the keys are, and when they have gone", () => {
  const heard = Object.fromEntries(
    ["onhover", "onleave", "onpin", "onkey"].map((name) => [name, mock.fn(() => name === "onkey")]),
  );
  let from = [null, null];
  const part = new PatchPicture({ label: "P", from: () => from, ...heard });
  part.show("a.jpg", [2, 4], [40, 20]);
  part.node.box = { left: 10, top: 10, width: 40, height: 20 };
  const last = (name) => heard[name].mock.calls.at(-1)?.arguments;
  part.node.fire("pointermove", { clientX: 45, clientY: 12 });
  assert.deepEqual(last("onhover"), [0, 3]);
  part.node.fire("pointermove", { clientX: 99, clientY: 99 });
  assert.deepEqual(last("onhover"), [1, 3], "at the edge");
  part.node.fire("pointerleave");
  assert.equal(heard.onleave.mock.callCount(), 1);
  part.node.fire("click", { clientX: 21, clientY: 21 });
  assert.deepEqual(last("onpin"), [1, 1]);
  part.node.fire("keydown", { key: "ArrowRight" });
  assert.deepEqual(last("onpin"), [1, 3], "from the middle");
  from = [0, 0];
  part.node.fire("keydown", { key: "ArrowUp" });
  assert.deepEqual(last("onpin"), [0, 0], "no further");
  const prevented = mock.fn();
  part.node.fire("keydown", { key: "q", preventDefault: prevented });
  assert.deepEqual([last("onkey"), prevented.mock.callCount()], [["q"], 1]);
  part.mark(1, 2, true);
  assert.equal(part.marker.style.transform, "translate(200%, 100%)");
  assert.ok(part.marker.classList.contains("pinned"));
  part.mark(null, null);
  assert.ok(part.marker.hidden);
});
