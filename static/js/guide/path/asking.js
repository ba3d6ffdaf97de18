/* The question of a stop: what would tell the answer is covered until somebody has answered; then it is
   uncovered, with what they chose and what it is. */
import { el } from "../../ui/dom.js";
import { chooser, marks, pointing, slide } from "../questions/kinds.js";

/** @typedef {import("./stops.js").Stop} Stop */
/** @typedef {import("../questions/kinds.js").Task} Task */
/** @typedef {import("../questions/kinds.js").Chosen} Chosen */

/**
 * @param {object} parts
 * @param {ReturnType<typeof import("./card.js").createCard>} parts.card
 * @param {() => void} parts.onanswer
 */
export function createAsking({ card, onanswer }) {
  const node = el("div", { class: "inside-over", hidden: true });
  /** @type {Task | null} */
  let task = null;
  /** @type {HTMLElement | null} what `node` lies on */
  let under = null;
  /** @type {Element[]} */
  let covered = [];

  function uncover() {
    for (const one of covered) one.classList.remove("inside-covered");
    covered = [];
  }

  /** @param {Stop} stop @param {Chosen} chosen */
  function answer(stop, chosen) {
    if (!task) return;
    uncover();
    if (task.kind === "point" && typeof chosen !== "number") {
      node.replaceChildren(marks(chosen, task));
      card.tells(stop, task.tell(chosen));
    } else if (task.kind !== "point" && typeof chosen === "number") {
      card.tells(stop, task.tell(chosen));
    }
    onanswer();
    card.title.focus({ preventScroll: true });
  }

  /** Lies on the picture that is asked about, wherever it moves. */
  function place() {
    if (!under?.isConnected) return;
    const { left, top, width, height } = under.getBoundingClientRect();
    Object.assign(node.style, {
      left: `${left}px`,
      top: `${top}px`,
      width: `${width}px`,
      height: `${height}px`,
    });
  }

  return {
    node,
    place,

    get task() {
      return task;
    },

    /** @param {Stop} stop @param {Task} next */
    ask(stop, next) {
      task = next;
      const column = document.getElementById(`screen-${stop.screen}`);
      covered = stop.covers && column ? [...column.querySelectorAll(stop.covers)] : [];
      for (const one of covered) one.classList.add("inside-covered");
      /** @param {Chosen} chosen */
      const chose = (chosen) => answer(stop, chosen);
      if (next.kind === "point") {
        under = column?.querySelector(next.on) ?? null;
        node.replaceChildren(pointing(next, chose));
        node.hidden = false;
        place();
        card.asks(stop, null);
      } else card.asks(stop, next.kind === "choose" ? chooser(next, chose) : slide(next, chose));
    },

    clear() {
      uncover();
      task = under = null;
      node.hidden = true;
      node.replaceChildren();
    },
  };
}
