/* The path: it goes from stop to stop through the screens, says a few sentences beside the part that
   they are about, and asks before it shows. What is set there is the page's own: whoever leaves stays
   where the path has led. */
import { bus } from "../../page/bus.js";
import { keep } from "../../page/link.js";
import { markTermsOf } from "../glossary.js";
import { guideLayer } from "../layer.js";
import { bring, follow } from "../numbers.js";
import { markPath } from "../row.js";
import { createAsking } from "./asking.js";
import { createCard } from "./card.js";
import { EDGE, placeCard, scrollTo } from "./placing.js";
import { createSpotlight } from "./spotlight.js";
import { allStops, readProgress, writeProgress } from "./stops.js";
import { arrive, taskOf } from "./visiting.js";

/** @typedef {import("./stops.js").Stop} Stop */

/** @typedef {Awaited<ReturnType<typeof createPath>>} Path */

/** @type {Path | null} */
let open = null;

/** Whether the path is being walked. */
export const isOpen = () => open !== null;

/**
 * Takes the path, or goes on where it was left.
 *
 * @param {string} [name] of a stop; without, the one that was reached
 */
export async function openPath(name) {
  open ??= await createPath();
  await open.goTo(name ?? readProgress().at);
}

/** Leaves the path; what it has set stays. */
export function leavePath() {
  open?.end();
  open = null;
  keep("stop", null);
  void markPath(false);
}

/** Where the strip ends: what lies below it is seen whole. */
function stripEnd() {
  const strip = document.getElementById("view-strip")?.getBoundingClientRect();
  return Math.max(0, strip?.bottom ?? 0);
}

async function createPath() {
  const stops = await allStops(),
    layer = await guideLayer();
  let at = 0,
    visit = new AbortController();
  /** @type {HTMLElement | null} */
  let part = null;

  const card = createCard({
    move(by) {
      complete(stops[at], "read");
      if (at + by >= stops.length) leavePath();
      else void go(at + by, true);
    },
    goTo: (name) => void goTo(name),
    leave: leavePath,
    look: () => focusIn(part),
  });
  const asking = createAsking({
      card,
      onanswer() {
        complete(stops[at], "answered");
        void say(card.node, stops[at]);
      },
    }),
    spotlight = createSpotlight((box) => {
      placeBeside(card.node, box);
      asking.place();
    });
  card.offer(stops);
  layer.append(spotlight.node, asking.node, card.node);
  const sizes = new ResizeObserver(spotlight.place);
  sizes.observe(card.node);
  const endings = [
    // Whoever opens another screen has left the path; how far they came is kept.
    bus.on("screen", ({ name }) => {
      if (name !== stops[at].screen) leavePath();
    }),
    bus.on("view", () => void go(at, false)),
    follow(card.node),
    () => sizes.disconnect(),
    () => visit.abort(),
    asking.clear,
    spotlight.end,
    () => asking.node.remove(),
    () => card.node.remove(),
  ];
  expose(card.node, { stop: () => stops[at].name, task: () => asking.task });

  /**
   * @param {number} index
   * @param {boolean} focus moves the focus to the card, as whoever has pressed Next wants
   */
  async function go(index, focus) {
    visit.abort();
    const { signal } = (visit = new AbortController()),
      stop = stops[(at = index)];
    asking.clear();
    spotlight.turnTo(null);
    card.node.removeAttribute("data-there");
    card.show(stops, at);
    writeProgress({ ...readProgress(), at: stop.name });
    keep("stop", stop.name);
    void markPath(true);
    if (focus) card.title.focus({ preventScroll: true });
    const there = await arrive(stop, signal),
      task = there && (await taskOf(stop, signal));
    if (signal.aborted || !there) return;
    part = there;
    if (task) asking.ask(stop, task);
    else card.saysAll(stop);
    bringIntoSight(there);
    spotlight.turnTo(there);
    card.node.setAttribute("data-there", stop.name);
    await say(card.node, stop);
    if (!signal.aborted && isAway(there)) bringIntoSight(there); // what stands above it has grown
  }

  /** @param {string} name of a stop; the first where there is none of that name */
  async function goTo(name) {
    const index = stops.findIndex((stop) => stop.name === name);
    await go(Math.max(index, 0), true);
  }

  return { goTo, end: () => endings.forEach((end) => end()) };
}

/**
 * What the path shows, as tests read it: as it is when they ask.
 *
 * @param {HTMLElement} node
 * @param {Record<string, () => unknown>} state
 */
function expose(node, state) {
  node.inside = {};
  for (const [name, get] of Object.entries(state))
    Object.defineProperty(node.inside, name, { get });
}

/**
 * Fills in what the card says: numbers, and what its words mean.
 *
 * @param {HTMLElement} card
 * @param {Stop} stop
 */
async function say(card, stop) {
  void markTermsOf(card, stop.screen);
  await bring(card);
}

/** @param {Stop} stop @param {"read" | "answered"} how */
function complete(stop, how) {
  const { done } = readProgress();
  if (stop.done === how && !done.includes(stop.name))
    writeProgress({ at: stop.name, done: [...done, stop.name] });
}

/**
 * Beside the part; where there is no room, along the lower edge of the window.
 *
 * @param {HTMLElement} card
 * @param {DOMRect} box of the part
 */
function placeBeside(card, box) {
  card.removeAttribute("data-side"); // its size along an edge is another one
  const room = { width: innerWidth, height: innerHeight, top: stripEnd() };
  card.style.maxHeight = `${room.height - room.top - 2 * EDGE}px`; // and what is longer scrolls
  const { offsetWidth: width, offsetHeight: height } = card;
  const { left, top, side } = placeCard(box, { width, height }, room),
    isFree = side !== "bottom";
  if (!isFree) card.style.maxHeight = "";
  card.style.left = isFree ? `${left}px` : "";
  card.style.top = isFree ? `${top}px` : "";
  card.dataset.side = side;
}

/** Below the strip. @param {HTMLElement} part */
const bringIntoSight = (part) =>
  scrollBy({ top: scrollTo(part.getBoundingClientRect(), stripEnd()), behavior: "instant" });

/** Whether a part begins above what can be seen, or below its upper half. @param {HTMLElement} part */
function isAway(part) {
  const { top } = part.getBoundingClientRect();
  return top < stripEnd() || top > innerHeight / 2;
}

/** @param {HTMLElement | null} part */
function focusIn(part) {
  const can = part?.querySelector("[tabindex='0'], button, input, select");
  if (can instanceof HTMLElement) return can.focus();
  part?.setAttribute("tabindex", "-1");
  part?.focus();
}
