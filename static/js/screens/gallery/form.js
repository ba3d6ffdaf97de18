/* Which pictures: one's galleries, a zip or folder to make another, and how far it has come. */
import { sentenceOf } from "../../page/errors.js";
import { requestJson } from "../../page/scenes.js";
import { button } from "../../ui/controls.js";
import { el } from "../../ui/dom.js";
import { dropZone, fileButton } from "../../ui/upload.js";
import { createPictureChoice } from "../../ui/picture-choice.js";
import { SAMPLES } from "./opening.js";
import { cardSentence } from "./sentences.js";
import { upload } from "./upload.js";
import { dropped } from "./zip.js";

/** @typedef {import("./state.js").Card} Card */
/** @typedef {import("./state.js").State} State */
/** @typedef {import("./opening.js").Opening} Opening */
/** @typedef {import("./upload.js").NamedFile} NamedFile */
/** @typedef {import("../../ui/picture-choice.js").PictureChoice} PictureChoice */

/**
 * @param {object} parts
 * @param {HTMLElement} parts.root where files may be dropped
 * @param {State} parts.state
 * @param {import("./state.js").Update} parts.update
 * @param {Opening} parts.opening
 * @param {ReturnType<typeof import("./next-upload.js").createNextUpload>} parts.next
 */
export function createForm({ root, state, update, opening, next }) {
  const list = createList(opening),
    files = createFiles((given) => void take(given)),
    steering = createSteering({ state, update, opening }),
    progress = createProgress();
  const problem = el("p", { class: "inside-problem", role: "alert", hidden: true });
  let busy = false;

  /** @param {NamedFile[]} given */
  async function take(given) {
    if (!given.length || busy) return;
    busy = true;
    update({ problem: null });
    try {
      const card = await upload(given, next.options(), progress.show);
      opening.know(card);
      busy = false;
      void opening.run(card.name);
    } catch (error) {
      update({ problem: sentenceOf(error) });
    }
    busy = false;
    progress.show(null);
    draw();
  }
  const which = createPictureChoice("Build it anew", (choice) => void choose(choice));
  /** The same zip with other answers: a gallery in the place of this one. @param {PictureChoice} choice */
  async function choose(choice) {
    const { card } = state;
    if (!card || busy) return;
    busy = true;
    update({ problem: null });
    try {
      const url = `galleries/${card.name}/choice`;
      /** @type {Card} */
      const made = await requestJson(url, { method: "POST", body: JSON.stringify(choice) });
      busy = false;
      void opening.run(made.name);
    } catch (error) {
      update({ problem: sentenceOf(error) });
    }
    busy = false;
    draw();
  }
  dropZone(root, async (transfer) => take(await dropped(transfer)));

  function draw() {
    problem.hidden = !state.problem;
    problem.textContent = state.problem ?? "";
    list.draw(state);
    files.draw(busy);
    steering.draw(busy);
    progress.draw(state);
    const { card } = state,
      settled = card?.mine && !card.alive && card.pictures > 0;
    which.draw(card && settled ? { aside: card.aside, choice: card.choice } : null, busy);
  }
  const controls = el(
    "div",
    { class: "inside-controls" },
    list.node,
    files.node,
    el("span", { class: "inside-note inside-or", text: "or drop one anywhere here" }),
    steering.drop,
  );
  const node = el(
    "section",
    { class: "inside-gallery-form", "aria-label": "Which pictures" },
    controls,
    el("div", { class: "inside-gallery-state" }, progress.node, steering.node),
    which.node,
    problem,
  );
  return { node, draw };
}

/** @param {Opening} opening */
function createList(opening) {
  /** @type {HTMLSelectElement} */
  const input = el("select", {
    "aria-label": "Pictures",
    onchange: () => void opening.run(input.value),
  });
  let drawn = "";
  return {
    node: el("label", { class: "inside-field" }, el("span", { text: "Pictures" }), input),
    /** @param {State} state */
    draw({ cards, card }) {
      const text = JSON.stringify(cards.map(({ name, title }) => [name, title]));
      if (drawn !== text)
        input.replaceChildren(
          ...cards.map(({ name, title }) => el("option", { value: name, text: title })),
        );
      drawn = text;
      input.value = card?.name ?? "";
    },
  };
}

/**
 * Buttons that ask for a zip or a folder.
 *
 * @param {(files: NamedFile[]) => void} ontake
 */
function createFiles(ontake) {
  const taken = (/** @type {File[]} */ files) =>
    ontake(files.map((file) => ({ path: file.webkitRelativePath || file.name, file })));
  const buttons = [
    fileButton("Upload a zip", taken, {
      accept: ".zip,application/zip",
      title: "A folder for each class in it gives labels: cats/1.jpg, dogs/1.jpg",
    }),
    fileButton("A folder", taken, {
      folder: true,
      title: "All pictures in a folder and the folders inside it",
    }),
  ];
  return {
    node: el("span", { class: "inside-gallery-files" }, ...buttons),
    /** @param {boolean} busy */
    draw(busy) {
      for (const one of buttons) one.disabled = busy;
    },
  };
}

const SURE = 4000; // ms in which a second press deletes

/**
 * Buttons that stop a gallery, let it go on, or throw it away.
 *
 * @param {{ state: State, update: import("./state.js").Update, opening: Opening }} parts
 */
function createSteering({ state, update, opening }) {
  const stop = button(
      "Cancel",
      () => steer("stop"),
      "Nothing computed is lost: it can go on later",
    ),
    goOn = button("Go on", () => steer("resume"), "Takes it up where it stopped"),
    drop = button("Delete", remove, "Removes these pictures and all that was computed of them");
  let sure = "";

  /** @param {"stop" | "resume"} action */
  async function steer(action) {
    const { card } = state;
    if (!card) return;
    stop.disabled = goOn.disabled = true;
    try {
      const url = `galleries/${card.name}/steer?action=${action}`;
      opening.know(await requestJson(url, { method: "POST" }));
      await opening.open(card.name);
    } catch (error) {
      update({ problem: sentenceOf(error) });
    }
    stop.disabled = goOn.disabled = false;
  }

  async function remove() {
    const { card } = state;
    if (!card) return;
    if (sure !== card.name) {
      sure = card.name;
      drop.textContent = "Really delete?";
      setTimeout(() => {
        sure = "";
        drop.textContent = "Delete";
      }, SURE);
      return;
    }
    try {
      await requestJson(`galleries/${card.name}`, { method: "DELETE" });
      await opening.open(SAMPLES);
    } catch (error) {
      update({ problem: sentenceOf(error) });
    }
  }

  return {
    node: el("span", { class: "inside-gallery-steer" }, stop, goOn),
    drop,
    /** @param {boolean} busy */
    draw(busy) {
      const { card } = state;
      stop.textContent = card?.seen ? "Stop" : "Cancel";
      stop.hidden = busy || !card?.actions.includes("stop");
      goOn.hidden = busy || !card?.actions.includes("resume");
      drop.hidden = !card?.mine || card.alive;
    },
  };
}

/** A sentence on the gallery, and a bar while it is being made. */
function createProgress() {
  const bar = el("progress", { max: 1, value: 0, "aria-label": "Progress" }),
    words = el("p", { class: "inside-note", role: "status" });
  /** @type {[text: string, share: number] | null} of an upload */
  let sending = null;

  /** @param {string} text @param {number | null} share */
  function show(text, share) {
    if (words.textContent !== text) words.textContent = text;
    bar.style.visibility = share === null ? "hidden" : "";
    if (share !== null) bar.value = share;
  }

  return {
    node: el("span", { class: "inside-gallery-progress" }, words, bar),
    /** @param {string | null} text of an upload; null: it has ended @param {number} [share] */
    show(text, share = 0) {
      sending = text === null ? null : [text, share];
      if (sending) show(...sending);
    },
    /** @param {State} state */
    draw({ card, shown }) {
      if (sending) return show(...sending);
      if (!card) return show("", null);
      if (shown && shown.name !== card.name) return show(openingSentence(card, shown), null);
      const embedding = card.state === "embedding" && card.alive && card.total > 0;
      show(cardSentence(card), embedding ? card.done / card.total : null);
    },
  };
}

/**
 * The map is still another gallery's, and says so.
 *
 * @param {Card} card
 * @param {import("./state.js").Shown} shown
 */
const openingSentence = (card, shown) =>
  `Opening ${card.title} … What is below is still ${shown.card.title}.`;
