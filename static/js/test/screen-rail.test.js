/* The page as it begins, and its rail: told/rail.txt. */
import { note, settle } from "./small-browser.js";
import { test } from "node:test";
import { PICTURES } from "./pictures.js";
import { serve } from "./recorded-server.js";
import { compare, createTranscript, touching } from "./whole-screen.js";
import "../guide/index.js";
import "../screens/attention/index.js";
import "../screens/strip/index.js";
import { bus } from "../page/bus.js";
import { el } from "../ui/dom.js";

const QUESTION = { token: "t", what: "How many heads it has is not said.", field: "heads" };
const OWN = {
  "POST checkpoints?name=own.png (a file)": { json: { ...QUESTION, choices: ["6", "12"] } },
  "POST checkpoints/asked/t?field=heads&value=6": { status: 422, text: "It has not 6." },
  "POST checkpoints/asked/t?field=heads&value=12": { json: { name: "checkpoint-1", title: "own" } },
  "POST checkpoints?name=w.pth (a file)": { status: 422, text: "This is no checkpoint." },
  "DELETE checkpoints/checkpoint-1": { json: {} },
  "POST exports?model=tiny&to=official": {
    json: { token: "e", state: "finished", words: ["Checked."], file: "own.pth", bytes: 2_500_000 },
  },
  "POST exports?model=checkpoint-1&to=onnx": {
    json: { token: "e", state: "failed", words: ["It has no such part."] },
  },
};

const list = el("input", { role: "combobox", "aria-expanded": "true", value: "tiny" }),
  chooser = el("input", { type: "file", accept: "image/*" }),
  place = el("div", { class: "inside-checkpoint" }),
  rail = el(
    "div",
    { id: "rail" },
    el("div", { id: "model" }, list),
    el("div", { id: "size" }, el("input", { type: "radio", name: "own", value: "56" })),
    el("div", { id: "picture" }, chooser),
    place,
  );
const stage = el(
  "div",
  { id: "inside-stage" },
  el("div", { class: "inside-view", "data-view": "strip" }),
  el("div", { class: "inside-view", "data-view": "attention" }),
);

/** What Gradio hands to a component. @param {string} name */
function componentOf(name) {
  const element = el("div", { id: `place-${name}` }, el("div", { class: "inside-view" })),
    props = { view: PICTURES[0] };
  document.body.append(el("div", { id: `screen-${name}`, class: "inside-screen" }, element));
  return {
    element,
    props,
    watch: (prop, listener) => bus.on("gone", () => prop === "view" && listener()),
    trigger: (event) => note(`${name} triggers ${event} with ${props.value}`),
  };
}

const files = (name, type) => ({ types: ["Files"], files: [new File(["w"], name, { type })] });

const has = () => chooser.files.map(({ name, type }) => `${name} as ${type}`).join();

/** What is done on the rail, one after the other. @param {typeof import("../boot.js").Inside} Inside */
const DEEDS = (Inside) => ({
  "the keyboard comes to the list": () => list.fire("focusin"),
  "Tab leaves it": () => list.fire("keydown", { key: "Tab" }),
  "something is typed": () => (list.value = "ti"),
  "Escape takes it back": () => list.fire("keydown", { key: "Escape" }),
  "a picture is to be chosen": () => chooser.fire("click"),
  "a picture is chosen": () => {
    Object.assign(chooser, { files: [new File(["p"], "photo", {})] });
    chooser.fire("change", { isTrusted: true });
  },
  "the widget has": () => note(has()),
  "a picture is dropped": () => chooser.fire("drop", { dataTransfer: files("a.heic", "") }),
  "a picture is pasted": () => rail.fire("paste", { clipboardData: files("a.png", "image/png") }),
  "the widget has now": () => note(has()),
  "a checkpoint is chosen": () => {
    const input = place.querySelector("input");
    input.files = [new File(["w"], "own.png", {})];
    input.fire("change");
  },
  "a checkpoint hangs over the rail": () =>
    rail.fire("dragover", {
      dataTransfer: files("w.pth", ""),
      preventDefault: () => note("taken"),
    }),
  "a checkpoint is dropped": () => rail.fire("drop", { dataTransfer: files("w.pth", "") }),
  "a picture is dropped beside": () =>
    rail.fire("drop", { dataTransfer: files("w.png", "image/png") }),
  "Python is at work": () => Inside.begins(),
  "Python is asked for another size": () => note(Inside.wanted("tiny", 70, "before")),
  "Python has answered": () => Inside.ends(),
  "Python is asked for what is shown": () => note(Inside.wanted("tiny", 56, "before")),
  "Python is asked for another model": () => note(Inside.wanted("other", 56, "before")),
  "the picture's key": () => note(Inside.shown()),
});

test("the page begins on its stage, and its rail takes checkpoints and pictures", async () => {
  globalThis.window = globalThis;
  globalThis.DataTransfer = class {
    files = [];
    items = { add: (file) => this.files.push(file) };
  };
  globalThis.FocusEvent = class extends Event {};
  document.body.append(rail, stage);
  serve(["rail", "strip", "attention"], (key) => OWN[key] && { status: 200, ...OWN[key] });
  const { settings } = await import("../settings.js");
  settings.first = PICTURES[0];
  const { Inside } = await import("../boot.js"),
    transcript = createTranscript("attention", document.body);
  await settle(10);
  await transcript.look("the page begins", { most: 60 });
  for (const name of ["strip", "attention"]) {
    Inside.mount(name, componentOf(name));
    await transcript.look(`Gradio has made ${name}`);
  }
  Inside.ready();
  Inside.arrived();
  Inside.checkpoints({ ...componentOf("checkpoint"), element: rail });
  await transcript.look("everything is there", { most: 40 });
  for (const [title, deed] of Object.entries(DEEDS(Inside))) {
    deed();
    await transcript.look(title);
    if (title === "a checkpoint is chosen") await touching(transcript, place);
  }
  await touching(transcript, place);
  for (const change of [{ model: "checkpoint-1", classifier: "It names." }, { key: "c" }]) {
    bus.emit("view", { ...PICTURES[0], ...change });
    await transcript.look(`shown is ${Object.values(change)}`);
  }
  const { setView } = await import("../page/screens.js");
  setView({ ...PICTURES[0], model: "checkpoint-1", classifier: "It names." });
  await transcript.look("shown is a checkpoint");
  await touching(transcript, place);
  bus.emit("gone", "checkpoint-1");
  await transcript.look("it is gone");
  compare("rail", transcript.lines);
});
