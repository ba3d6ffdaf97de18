/* The screens of the page: which there are, which is open, and when each is made and shown.

   THE CONTRACT OF A SCREEN. A screen is a folder, screens/NAME/, and knows no other screen.

   - index.js exports `create(root, page)`. It builds the screen inside `root` once, and returns
     `{ show(view), lazy? }`. `show` is called with the picture that is open (types/page.d.ts), when
     the screen opens and whenever there is another; it may return a promise, and the screen is
     `data-ready` when that is done. `lazy: true`: not shown in the background, only once it opens.
   - state.js holds the screen's one state object and its one `update(change)`; parts (other files of
     the folder) are handed it. Nothing of a screen is kept anywhere else, and nothing is global.
   - `page` is what the screen gets of the page (the type Page below): `run(work)` for whatever it
     does later by itself, so that errors are told on the screen; `expose(state)` for tests, which
     read it at `[data-view=NAME].inside`; `send(value)` for Python.
   - Everything else is imported from page/ ui/ charts/: `bus.on("selection" | "view" | "screen")`,
     `selection` and `select(change)`, `keep` and `kept` for the link, `fetchScene(sceneUrl(...))`.
   - A refusal that a visitor should read is a Problem (errors.js): ServerError and NetworkError come
     from `request`, `requestJson` and `fetchScene` by themselves, what a visitor gave wrongly is an
     InputError. Any other exception is told as a fault of the view.

   A screen's files are fetched, and it is made, when it opens or when the page has nothing else to
   do; not before the first picture is on the screen, nor for a newcomer who has touched
   nothing, nor where the browser saves data.
   The strip of thumbnails keeps the same contract and is always open. */
import { settings } from "../settings.js";
import { bus } from "./bus.js";
import { connection } from "./connection.js";
import { NetworkError, run } from "./errors.js";
import { isComputing, markLate, nameLate } from "./late.js";
import { writeMemory } from "./memory.js";
import { takeLinked } from "./selection.js";

/** @typedef {import("../types/page").View} View */

/**
 * @typedef {object} Page what a screen is given of the page
 * @property {string} name of the screen
 * @property {(work: () => unknown) => Promise<boolean>} run work of the screen; tells on it what went wrong
 * @property {(state: object) => void} expose what the screen shows, as tests read it
 * @property {(value: unknown) => void} send hands a value to Python, as the component's own
 */

/**
 * @typedef {object} ScreenParts what `create` returns
 * @property {(view: View) => unknown} show
 * @property {boolean} [lazy]
 */

/**
 * @typedef {object} Mounted a screen that has its place on the page
 * @property {HTMLElement} root
 * @property {Promise<ScreenParts> | null} parts null until it has been made
 * @property {string | null} shown the view that it shows or is about to, as JSON
 * @property {View | null} drawn the view that it has drawn; another than `shown` while that is fetched
 * @property {number} drawing views that it is about to show
 */

export const STRIP = "strip";
const WELCOME = "welcome"; // of a newcomer: no step of the data's way, and in no list
const EXPLORER = "attention"; // what opens where nobody has asked for anything else

/** @type {Map<string, Mounted>} */
const mounted = new Map();
/** @type {Map<string, (value: unknown) => void>} name -> how its component tells Python */
const senders = new Map();
/** @type {View | null} */
let view = null;
/** @type {string | null} the screen that is open */
let current = null;
/** @type {string | null} the screen that was asked for before it had its place */
let asked = null;

/** The picture that the page shows now; null until there is one. */
export const currentView = () => view;

/** The screen that is open; null until the first is. */
export const currentScreen = () => current;

/** Whether somebody looks at a screen. @param {string} name */
export const isOpen = (name) => current === name && document.visibilityState === "visible";

/** The screen that opens by itself: the document has read the link, and where one was. */
function firstScreen() {
  const { opens } = document.documentElement.dataset;
  if (opens === WELCOME && settings.first) return WELCOME;
  return settings.screens.find(([name]) => name === opens)?.[0] ?? EXPLORER;
}

// ---------- reading, making, showing

/**
 * @param {string} name
 * @returns {Promise<{ create: (root: HTMLElement, page: Page) => ScreenParts }>}
 */
const load = (name) =>
  connection.patiently(() =>
    import(`../screens/${name}/index.js`).catch((error) => {
      const lost = /dynamically imported|importing a module script|error loading/i;
      throw lost.test(error.message) ? new NetworkError(error) : error;
    }),
  );

/**
 * @param {string} name
 * @param {HTMLElement} root
 * @returns {Promise<ScreenParts>}
 */
async function make(name, root) {
  const { create } = await load(name);
  const parts = create(root, {
    name,
    async run(work) {
      const worked = await run(root, work);
      if (worked && !mounted.get(name)?.drawing) root.setAttribute("data-ready", "");
      return worked;
    },
    expose: (state) => {
      root.inside = state;
    },
    send: (value) => sendToPython(name, value),
  });
  bus.emit("made", name);
  return parts;
}

/** Makes a screen, once. @param {string} name @param {Mounted} screen */
function partsOf(name, screen) {
  screen.parts ??= make(name, screen.root).catch((error) => {
    screen.parts = null; // tried again when it is asked for again
    throw error;
  });
  return screen.parts;
}

/** Shows a screen the picture that is open, if it does not yet. @param {string} name */
async function show(name) {
  const screen = mounted.get(name),
    wanted = view;
  if (!screen || !wanted) return;
  const text = JSON.stringify(wanted);
  if (screen.shown === text) return;
  screen.shown = text;
  screen.root.removeAttribute("data-ready");
  screen.drawing += 1;
  markAll();
  const worked = await run(screen.root, async () => (await partsOf(name, screen)).show(wanted));
  screen.drawing -= 1;
  if (screen.shown === text && worked) {
    screen.drawn = wanted;
    screen.root.setAttribute("data-ready", "");
  }
  markAll();
  if (name === current) requestAnimationFrame(() => firstIsPainted());
  if (!worked) screen.shown = null; // tried again when it is asked for again
}

/* What is drawn is the one before while Python is at work, and while the new one is fetched. */
function markAll() {
  for (const [name, { root, drawn, drawing }] of mounted) {
    const late = drawn !== null && (isComputing() || drawing > 0);
    markLate(root, late);
    root.toggleAttribute("data-drawing", drawing > 0);
    if (!drawing) root.dispatchEvent(new Event("drawn"));
    if (name === current) nameLate(late ? drawn : null);
  }
}

bus.on("computing", markAll);

// ---------- places, views, the screen that is open

/**
 * A component of Gradio's says how it is told a value of its screen.
 *
 * @param {string} name
 * @param {(value: unknown) => void} send
 */
export const connect = (name, send) => void senders.set(name, send);

/**
 * Hands a value to Python, as a component's own.
 *
 * @param {string} name of the component
 * @param {unknown} value
 */
export const sendToPython = (name, value) => senders.get(name)?.(value);

/**
 * Gives a screen its place on the page.
 *
 * @param {string} name
 * @param {HTMLElement} root an .inside-view
 */
export function mount(name, root) {
  root.dataset.view = name;
  mounted.set(name, { root, parts: null, shown: null, drawn: null, drawing: 0 });
  if (name === STRIP) void show(name);
  else if (name === (asked ?? current ?? firstScreen())) openScreen(name);
  prepareSoon();
}

/**
 * The place of a screen that has been on the stage until now.
 *
 * @param {string} name
 * @param {HTMLElement} place
 */
export function moveTo(name, place) {
  const screen = mounted.get(name);
  if (screen) place.replaceWith(screen.root);
}

/**
 * Another picture, model, size or seed.
 *
 * @param {View} next
 */
export function setView(next) {
  view = next;
  takeLinked(next.key);
  bus.emit("view", next);
  void show(STRIP);
  if (current) void show(current);
  prepareSoon();
}

/** Shows a screen its picture without opening it: somebody wants its numbers. @param {string} name */
export const prepareScreen = (name) => show(name);

/** What the page shows. */
export const shownView = () => view;

/**
 * Opens a screen; one that has no place yet opens as soon as it has.
 *
 * @param {string} name
 */
export function openScreen(name) {
  if (!mounted.has(name)) {
    asked = name;
    return;
  }
  const before = current;
  [asked, current] = [null, name];
  showColumn();
  if (before !== name) bus.emit("screen", { name, before });
  if (before) writeMemory("screen", name);
  void show(name);
  markAll();
}

/** Goes past the welcome. */
export const openExplorer = () => openScreen(EXPLORER);

/** Shows Gradio's column of the open screen, and no other. */
export function showColumn() {
  for (const column of document.querySelectorAll(".inside-screen"))
    column.classList.toggle("open", column.id === `screen-${current}`);
}

// ---------- the first picture has the browser for itself

let firstIsPainted = () => {};

/** The first picture is on the screen, or could not be had: everybody else's turn. */
export const ready = /** @type {Promise<void>} */ (
  new Promise((resolve) => {
    firstIsPainted = () => resolve(undefined);
    setTimeout(resolve, 4000);
  })
);

let touched = false;
let lastTouch = -Infinity; // ms, of the page's clock

const REST = 400; // ms without a key or a click: then nobody waits for an answer

/** When nobody has done anything for a moment: what is got ready must not be in their way. */
async function whenAtRest() {
  for (;;) {
    const left = lastTouch + REST - performance.now();
    if (left <= 0) return;
    await new Promise((resolve) => setTimeout(resolve, left));
  }
}

/** Whether this is a newcomer's untouched page: it fetches nothing that nobody asked for. */
export const isSparing = () => view?.key === "first" && !touched;

/** Whether what nobody has asked for yet may be fetched: a browser that saves data says no. */
export function mayFetchAhead() {
  const { connection: line } = /** @type {{ connection?: { saveData?: boolean } }} */ (navigator);
  return !isSparing() && !line?.saveData;
}

/** @type {ReturnType<typeof setTimeout> | undefined} */
let idle;

/* The screens that are not open get ready, two at a time, when the page is idle. */
function prepareSoon() {
  clearTimeout(idle);
  if (!mayFetchAhead()) return;
  idle = setTimeout(() => void ready.then(prepare), 120);
}

function prepare() {
  const names = [...mounted.keys()].filter((name) => name !== WELCOME).values(); // shared by both
  const work = async () => {
    for (const name of names) {
      await whenAtRest();
      const screen = mounted.get(name);
      const parts = await (screen && partsOf(name, screen).catch(() => null));
      if (parts && !parts.lazy) await show(name);
    }
  };
  void work();
  void work();
}

/** Listens for touches of the page, above all for the first. */
export function begin() {
  for (const event of ["pointerdown", "keydown"])
    document.addEventListener(
      event,
      () => {
        lastTouch = performance.now();
        if (touched) return;
        touched = true;
        prepareSoon();
      },
      true,
    );
}
