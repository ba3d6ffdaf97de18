/* What of a step can be chosen: what was trained is asked for by asking for nothing. */
import "./small-document.js";
import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { placeOfRate, rateAt } from "../screens/step/arithmetic.js";
import { createControls } from "../screens/step/controls.js";
import { createState, FIRST_PAIR } from "../screens/step/state.js";

mock.timers.enable({ apis: ["setTimeout"] });

const facts = {
  title: "A pair",
  visits: [{}],
  targets_by: "sinkhorn_knopp",
  trained_rate: 1e-3,
  trained_temperature: 0.05,
  values: { teacher_temperature: 0.07, learning_rate: 1e-4 },
};

/** The controls of a step that is there, and what they ask for. */
function controls() {
  const [onchange, ongo, oncancel] = [mock.fn(), mock.fn(), mock.fn()],
    part = createControls({ onchange, ongo, oncancel }),
    { state, update } = createState(part.draw);
  update({ row: [{ facts }] });
  const slide = (name, value) => {
    const input = part.node.querySelector(`[aria-label="${name}"]`);
    input.value = value;
    input.fire("input");
    mock.timers.tick(1000);
    return onchange.mock.calls.at(-1).arguments[0];
  };
  const valueOf = (name) => Number(part.node.querySelector(`[aria-label="${name}"]`).value);
  return { part, state, update, slide, valueOf, onchange, ongo, oncancel };
}

test("the controls stand where the step was made, and ask for what differs from the pair", () => {
  const { part, slide, valueOf, onchange } = controls();
  assert.deepEqual(
    [valueOf("Teacher temperature"), valueOf("Learning rate")],
    [0.07, placeOfRate(1e-4)],
  );
  const pressed = part.node.querySelectorAll('[aria-pressed="true"]').map((one) => one.textContent);
  assert.deepEqual(pressed, ["Sinkhorn-Knopp"]);
  assert.deepEqual(slide("Teacher temperature", 0.09), { temperature: 0.09 });
  assert.deepEqual(slide("Teacher temperature", 0.05), { temperature: null }, "as it was trained");
  const at = placeOfRate(5e-3);
  assert.deepEqual(slide("Learning rate", at), { rate: rateAt(at) });
  assert.deepEqual(slide("Learning rate", placeOfRate(1e-3)), { rate: null });
  assert.deepEqual(slide("Weight of KoLeo", 0.3), { koleo: 0.3 });
  part.offer(
    [
      { name: "cifar", title: "C" },
      { name: "other", title: "O" },
    ],
    "cifar",
  );
  const pairs = part.node.querySelector("select");
  pairs.value = "other";
  pairs.fire("change");
  assert.deepEqual(onchange.mock.calls.at(-1).arguments[0], {
    pair: "other",
    temperature: null,
    rate: null,
  });
});

test("while a step of other choices is being made the choices stand", () => {
  const { part, update, slide, valueOf, ongo, oncancel } = controls(),
    making = { done: 2, wanted: 10, first: 5, fresh: true };
  slide("Teacher temperature", 0.09);
  update({ making });
  assert.equal(valueOf("Teacher temperature"), 0.09, "what is shown is of other choices");
  assert.match(part.go.textContent, /Step 7 is being made, 2 of 10 done/);
  assert.equal(part.go.querySelector("progress").value, 0.2);
  const find = (text) => part.go.querySelectorAll("button").find((one) => one.textContent === text);
  assert.ok(find("Step again").hidden);
  find("Cancel").click();
  assert.equal(oncancel.mock.callCount(), 1);
  update({ making: { ...making, fresh: false, wanted: 1, done: 0 } });
  assert.equal(valueOf("Teacher temperature"), 0.07, "a step more of what is shown");
  assert.ok(!part.go.querySelector("progress").hasAttribute("value"));
  update({ making: null });
  find("Ten in a row").click();
  assert.deepEqual(ongo.mock.calls[0].arguments, [10]);
  update({ row: [] });
  assert.ok(find("Step again").disabled, "there is none to go on from");
  assert.equal(FIRST_PAIR, "cifar");
});

test("the line that is looked at is one of the step that is shown", () => {
  const seen = [],
    { state, update } = createState((now) => seen.push(now.at)),
    step = (count) => ({ facts: { visits: Array.from({ length: count }, () => ({})) } });
  update({ at: 7 });
  update({ row: [step(9), step(3)] });
  assert.equal(state.at, 7);
  update({ shown: 1 });
  assert.equal(state.at, 2, "the last of a shorter one");
  assert.deepEqual(seen, [7, 7, 2]);
});
