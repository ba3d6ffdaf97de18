/* The path through all screens, the glossary and the drawing of the model: told/guide.txt. */
import { settle } from "./small-browser.js";
import { serve } from "./recorded-server.js";
import { test } from "node:test";
import { PICTURES } from "./pictures.js";
import { compare, createTranscript, touching } from "./whole-screen.js";
import { begin, openDrawing, openGlossary } from "../guide/index.js";
import "../guide/drawing.js";
import { openPath, isOpen } from "../guide/path/index.js";
import { allStops } from "../guide/path/stops.js";
import { beginLessons, watchLessons } from "../page/lesson.js";
import { arrived } from "../page/link.js";
import { mount, openScreen, setView } from "../page/screens.js";
import { settings } from "../settings.js";
import { el } from "../ui/dom.js";

const SCREENS = settings.screens.map(([name]) => name);
await Promise.all([...SCREENS, "strip"].map((name) => import(`../screens/${name}/index.js`)));

/** The page: a column for each screen, with its place and its lesson. */
function build() {
  const page = el("div", { id: "page" });
  document.body.append(el("main", {}, page));
  for (const name of SCREENS) {
    const lesson = el("div", { id: `lesson-${name}` }, el("p", { text: "Patches and tokens." }));
    const place = el("div", { class: "inside-view", id: `view-${name}` });
    page.append(el("div", { id: `screen-${name}`, class: "inside-screen" }, place, lesson));
    mount(name, place);
  }
}

test("the path leads through all screens and asks before it shows", async () => {
  serve(["guide", ...SCREENS]);
  build();
  openScreen("attention");
  setView(PICTURES[0]);
  arrived();
  watchLessons();
  beginLessons();
  begin();
  await settle(20);
  const layer = document.getElementById("page").parentNode,
    transcript = createTranscript(
      "guide",
      document.body,
      () => document.getElementById("inside-guide") ?? layer.children.at(-1),
    );
  for (const { name } of await allStops()) {
    void openPath(name);
    await transcript.look(`goes to ${name}`, { rounds: 30, most: 40 });
    const guide = document.getElementById("inside-guide");
    await touching(transcript, guide, {
      most: 12,
      skip: (node) => !node.closest(".inside-over, .inside-options-of, .inside-card label, .asks"),
    });
  }
  await transcript.look(`is ${isOpen() ? "open" : "left"}`);
  void openGlossary();
  await transcript.look("the glossary", { most: 40 });
  void openDrawing();
  await transcript.look("the drawing", { most: 80 });
  await touching(transcript, document.querySelector("dialog.inside-drawing") ?? document.body, {
    most: 60,
  });
  compare("guide", transcript.lines);
});
