/* Which picture the first is compared with: a sample, the one before, or a file. */
import { keep, kept } from "../../../page/link.js";
import { pictureToSend } from "../../../page/picture-upload.js";
import { recipeOf, rememberSecond } from "../../../page/reopening.js";
import { requestJson, sceneUrl } from "../../../page/scenes.js";
import { button } from "../../../ui/controls.js";
import { el } from "../../../ui/dom.js";
import { dropZone, fileButton } from "../../../ui/upload.js";

/** @typedef {import("./state.js").Pair} Pair */
/** @typedef {import("../state.js").Second} Second */
/** @typedef {{ sample?: string, source?: string }} Choice neither: a file */

/**
 * @param {import("../state.js").Screen} screen
 * @param {(next: Partial<Pair>) => void} change
 */
export function createChooser({ state, run, reload, lookAround }, change) {
  /** @param {import("../state.js").View} view @param {Choice} choice @param {File | null} [file] */
  async function openSecond(view, choice, file = null) {
    const url = sceneUrl(view.key, "second", { ...choice }),
      body = file && (await pictureToSend(file));
    /** @type {Omit<Second, "first">} */
    const opened = await requestJson(url, { method: "POST", body }, { repeatable: true });
    const { sample, source } = choice,
      origin = source ? recipeOf(source) : sample ? { sample } : { file: body };
    if (origin) rememberSecond(opened, origin);
    const words = file ? file.name : sampleTitle(opened.sample) || "the picture before";
    keep("features.second", opened.sample || null);
    change({ second: { ...opened, first: view.key, words }, choosing: false, pointed: null });
  }

  /** @param {Choice} choice @param {File | null} [file] */
  const choose = (choice, file) =>
    run(async () => {
      if (!state.view) return;
      await openSecond(state.view, choice, file);
      reload();
    });

  /**
   * A second picture that belongs to this first one, or the question which.
   *
   * @param {import("../state.js").Request} request
   */
  async function ready({ view, isOvertaken }) {
    await lookAround();
    const { second } = state.pair;
    if (isOvertaken() || second?.first === view.key) return;
    const known = knownChoice(second);
    if (!known) return change({ choosing: true });
    try {
      await openSecond(view, known);
      const opened = state.pair.second;
      if (second?.words && opened) change({ second: { ...opened, words: second.words } });
    } catch (error) {
      console.warn(error); // it is no longer there, or the link is damaged
      change({ second: null, choosing: true });
    }
  }

  const node = el("div", { class: "inside-chooser" });
  dropZone(node, ({ files: [file] }) => {
    if (file) void choose({}, file);
  });
  let shown = "";
  return {
    node,
    ready,
    /** @param {Pair} pair */
    draw({ choosing, second }) {
      const { before } = state.around,
        now = choosing ? `${before} ${second?.key} ${samples().length}` : "";
      if (now === shown) return;
      shown = now;
      if (!choosing) return;
      const back = second && button("Keep this one", () => change({ choosing: false }));
      node.replaceChildren(...question(choose, before, back));
    },
  };
}

/**
 * What the second picture was, to be opened again beside another first.
 *
 * @param {Second | null} second
 * @returns {Choice | null}
 */
function knownChoice(second) {
  if (second) return second.sample ? { sample: second.sample } : { source: second.key };
  const sample = kept("features.second");
  return sample ? { sample } : null;
}

/** The rail's samples: [file, its thumbnail]. */
const samples = () =>
  [...document.querySelectorAll("#samples button[data-file]")].flatMap((one) => {
    const image = one.querySelector("img");
    return image ? [{ file: one.getAttribute("data-file") ?? "", image }] : [];
  });

const sampleTitle = (/** @type {string} */ name) =>
  samples().find(({ file }) => file === name)?.image.alt;

/**
 * @param {(choice: Choice, file?: File) => void} choose
 * @param {string | null} before
 * @param {HTMLElement | null} back
 */
function question(choose, before, back) {
  const thumbnail = (
    /** @type {string} */ src,
    /** @type {string} */ title,
    /** @type {() => void} */ onclick,
  ) =>
    el(
      "button",
      { type: "button", title, onclick },
      el("img", { src, alt: title, width: 64, height: 64 }),
    );
  return [
    el("h2", { text: "Choose a second picture" }),
    el("p", {
      class: "inside-quiet",
      text:
        "Something of the same kind shows most: parts find their like. Drop a file here, " +
        "or take one of these.",
    }),
    el(
      "div",
      { class: "inside-samples", role: "group", "aria-label": "Second picture: samples" },
      ...samples().map(({ file, image }) =>
        thumbnail(image.src, image.alt, () => choose({ sample: file })),
      ),
      before
        ? thumbnail(sceneUrl(before, "thumb.jpg"), "The picture you had open before", () =>
            choose({ source: before }),
          )
        : null,
    ),
    el(
      "div",
      { class: "inside-controls" },
      fileButton("Upload a picture", ([file]) => choose({}, file)),
      back,
    ),
  ];
}
