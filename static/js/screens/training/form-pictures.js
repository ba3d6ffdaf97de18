/* The pictures that a run learns from: the samples, a zip of the visitor's, or one that was sent for
   Many pictures before. */
import { requestJson } from "../../page/scenes.js";
import { sendFile } from "../../page/uploads.js";
import { button } from "../../ui/controls.js";
import { el } from "../../ui/dom.js";
import { percent } from "../../ui/format.js";
import { createPictureChoice } from "../../ui/picture-choice.js";
import { leftOutSentences, picturesSentence, sourcesOf } from "./form-sentences.js";

/** @typedef {import("../../types/runs").Upload} Upload */
/** @typedef {import("../../types/runs").GalleryZip} GalleryZip */

/**
 * @typedef {object} Known
 * @property {Upload | null} zip that is chosen; null: the samples
 * @property {Upload | null} sent that was sent here
 * @property {string} gallery whose zip is chosen; empty: none
 * @property {readonly GalleryZip[]} galleries
 */

/**
 * @param {(zip: Upload | null) => void} onchoose null: the samples
 * @param {(task: () => Promise<unknown>) => unknown} work
 */
export function createPictures(onchoose, work) {
  /** @type {Known} */
  const known = { zip: null, sent: null, gallery: "", galleries: [] };
  const file = el("input", {
    type: "file",
    accept: ".zip,application/zip",
    class: "inside-hidden",
    tabindex: "-1",
    "aria-label": "A zip of pictures",
    onchange: () => {
      const [picked] = file.files ?? [];
      if (picked) work(() => upload(picked));
      file.value = ""; // the same file may be chosen again
    },
  });
  const ask = button("", () => file.click()),
    words = el("p", { class: "inside-note", "aria-live": "polite" }),
    leftOut = el("div", { class: "inside-left-out" });
  /** @type {HTMLSelectElement} */
  const source = el("select", { "aria-label": "Pictures", onchange: () => choose(source.value) }),
    sources = el("label", { class: "inside-field" }, el("span", { text: "Pictures" }), source);
  const which = createPictureChoice("Look again", (answers) =>
    work(async () => known.zip && take(await postChoice(known.zip, answers), known.gallery)),
  );

  /** @param {Upload | null} zip @param {string} gallery of which it is; "" none */
  function take(zip, gallery) {
    Object.assign(known, { zip, gallery });
    if (zip && !gallery) known.sent = zip;
    onchoose(zip);
  }

  /** @param {string} value of the list */
  function choose(value) {
    const gallery = known.galleries.find(({ name }) => name === value);
    if (gallery) work(async () => take(await postGallery(gallery.name), gallery.name));
    else take(value ? known.sent : null, "");
  }

  /** @param {File} picked */
  async function upload(picked) {
    const url = `runs/pictures?name=${encodeURIComponent(picked.name)}`;
    const showProgress = (/** @type {number} */ share) => {
      words.textContent = `${picked.name}: ${percent(share, 0)} sent.`;
    };
    /** @type {Upload} */
    const zip = await sendFile(url, picked, showProgress);
    take(zip, "");
  }

  return {
    node: el(
      "div",
      { class: "inside-stack" },
      sources,
      el("div", { class: "inside-controls" }, ask, file),
      words,
      leftOut,
      which.node,
    ),

    /** The visitor's, whose zips need not be sent again. @param {readonly GalleryZip[]} galleries */
    offer(galleries) {
      known.galleries = galleries;
    },

    /** @param {import("./form-sentences.js").Filled} filled */
    draw(filled) {
      const { kind, zip, busy } = filled;
      const offered = sourcesOf(kind, known.galleries, known.sent);
      sources.hidden = offered.length < 2;
      source.disabled = busy;
      source.replaceChildren(...offered.map(([value, text]) => el("option", { value, text })));
      source.value = known.gallery || zip?.token || "";
      which.draw(zip, busy);
      ask.textContent = known.sent ? "Another zip" : "Upload a zip of pictures";
      words.textContent = picturesSentence(filled);
      leftOut.replaceChildren(
        ...leftOutSentences(zip).map((text) => el("p", { class: "inside-note", text })),
      );
    },
  };
}

/** @param {string} name @returns {Promise<Upload>} */
const postGallery = (name) => requestJson(`runs/pictures/gallery/${name}`, { method: "POST" });

/**
 * @param {Upload} zip
 * @param {import("../../ui/picture-choice.js").PictureChoice} answers
 * @returns {Promise<Upload>}
 */
const postChoice = ({ token }, answers) =>
  requestJson(`runs/pictures/${token}`, { method: "POST", body: JSON.stringify(answers) });
