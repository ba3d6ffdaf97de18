/* A whole screen on the small document, tried without a browser: it is opened with answers that a
   server gave once, everything that listens is touched in turn, and what the screen asks, says, draws
   and hands out is written down. The transcript is compared with told/NAME.txt.

     RECORD=http://127.0.0.1:7990 node test/screen-NAME.test.js   asks tests/recorded_server.py what
                                                                  is missing
     WRITE=1 node test/screen-NAME.test.js                        writes the transcript anew: read it */
import { eventsOf, happened, note, settle } from "./small-browser.js";
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { serve } from "./recorded-server.js";
import { digest, short, tell } from "./telling.js";
import { touches } from "./touching.js";
import { numbersOf } from "../page/lesson.js";
import { arrived } from "../page/link.js";
import { connect, mount, openScreen, setView } from "../page/screens.js";
import "../page/own-files.js";
import "../page/checkpoint-question.js"; // what is fetched later is there at once
import { selection } from "../page/selection.js";

const MOST = 8; // lines that follow a touch; the others are one number
const AT_FIRST = 80; // lines of a picture that is shown
const FIELDS = ["input", "select", "textarea", "progress"];

/** What was drawn on a canvas since it was looked at; else what was drawn then. */
function drawnOn(canvas) {
  if (canvas.told?.length) canvas.said = canvas.told.splice(0).join("; ");
  return canvas.said ?? "";
}

/** A node in words, without its children. */
function lineOf(node) {
  const { tag, className } = node,
    style = Object.entries(node.style).map(([name, value]) => `${name}:${value}`),
    texts = node.childNodes.filter((child) => !child.tag).map((child) => child.textContent);
  return [
    tag,
    className ? `.${className.split(/\s+/).join(".")}` : "",
    ...node
      .attributes()
      .filter(([name]) => name !== "class")
      .map((pair) => ` ${pair.join("=")}`),
    style.length ? ` {${style.join(";")}}` : "",
    FIELDS.includes(tag) ? ` = ${node.value}` : "",
    texts.length ? ` "${texts.join("|")}"` : "",
    tag === "canvas" ? ` ${node.width} x ${node.height} ${drawnOn(node)}` : "",
    node.chart ? ` ${node.chart}` : "",
  ].join("");
}

/** Every node that is not hidden, by where it stands. */
function look(node, at = "", seen = new Map()) {
  seen.set(at, short(lineOf(node), 240));
  if (!node.hidden) node.children.forEach((child, i) => look(child, `${at}/${i}`, seen));
  return seen;
}

/** What is new, then how much is gone without anything in its place. */
function changeOf(before, after, most) {
  const lines = [...after].filter(([at, line]) => before.get(at) !== line).map(([, line]) => line),
    gone = [...before.keys()].filter((at) => !after.has(at)).length,
    rest = lines.slice(most);
  return [
    ...lines.slice(0, most),
    ...(rest.length ? [`and ${rest.length} more: ${digest(rest.join("\n"))}`] : []),
    ...(gone ? [`${gone} gone`] : []),
  ];
}

/** What the page knows beside what stands on it. @param {string} name @param {object} root */
const knownBy = (name, root) => ({
  exposes: root.inside ?? {},
  "has in its lesson": numbersOf(name),
  "has chosen": selection,
});

/**
 * A transcript of what happens on the document.
 *
 * @param {string} name of the screen
 * @param {object} root that exposes what it shows
 * @param {() => object} seen what is looked at
 */
export function createTranscript(name, root, seen = () => document.body) {
  const lines = [];
  let before = new Map();
  return {
    lines,
    async look(title, { rounds, most = MOST } = {}) {
      await settle(rounds);
      const now = look(seen());
      for (const [word, value] of Object.entries(knownBy(name, root)))
        now.set(word, short(`${word} ${tell(value)}`, 400));
      const said = [...happened.splice(0), ...changeOf(before, now, most)];
      before = now;
      lines.push(`> ${title}`, ...said.map((line) => `  ${line}`));
    },
  };
}

/** Touches everything below a node, and looks each time. */
export async function touching(transcript, where, { most = 400, skip = () => false } = {}) {
  for (const touch of touches(where, { eventsOf, most, skip })) {
    touch.work();
    await transcript.look(touch.title);
  }
}

/** @typedef {object} Options
 * @property {object[]} views one after the other
 * @property {number} [most] touches
 * @property {(node: object) => boolean} [skip] what is not touched
 * @property {(key: string) => object | undefined} [own] answers of the test's own
 * @property {number} [each] answers of one address to record
 * @property {(tools: object) => unknown} [after]
 */

/** @param {string} name @param {Options} options */
export async function tellWhole(name, { views, most = 600, skip = () => false, own, each, after }) {
  serve(name, own, each);
  const root = Object.assign(document.createElement("div"), { className: "inside-view" }),
    transcript = createTranscript(name, root);
  document.body.append(root);
  connect(name, (value) => note(`sends ${tell(value)}`));
  mount(name, root);
  openScreen(name);
  arrived();
  const touchAll = (where = root) => touching(transcript, where, { most, skip });
  for (const [i, view] of views.entries()) {
    setView(view);
    await transcript.look(`picture ${i + 1} is shown`, { rounds: 12, most: AT_FIRST });
    if (i === 0) await touchAll();
  }
  await after?.({ root, transcript, touchAll });
  compare(name, transcript.lines);
}

/** @param {string} name @param {string[]} lines */
export function compare(name, lines) {
  const text = `${lines.join("\n")}\n`;
  const file = new URL(`told/${name}.txt`, import.meta.url);
  if (process.env.WRITE || process.env.RECORD) return writeFileSync(file, text);
  const wanted = readFileSync(file, "utf8").split("\n"),
    found = text.split("\n"),
    at = found.findIndex((line, i) => line !== wanted[i]);
  if (at < 0 && wanted.length === found.length) return undefined;
  const touch = found.slice(0, at + 1).findLast((line) => line.startsWith(">"));
  return assert.fail(
    `${name}, ${touch} (line ${at + 1}):\n  wanted ${wanted[at]}\n  found  ${found[at]}`,
  );
}
