/* Where the page begins: the one file that touches `window`. Gradio's components and handlers reach
   the page by the three calls of `window.Inside`, whatever comes first, they or this file. */
import { mountCheckpoints } from "./page/checkpoints.js";
import { connection, watchConnection } from "./page/connection.js";
import { createTransport } from "./page/gradio-transport.js";
import { followHistory } from "./page/history.js";
import { begins, ends, wantedOf } from "./page/late.js";
import { beginLessons, watchLessons, writesLesson } from "./page/lesson.js";
import { arrived, opening } from "./page/link.js";
import { preparePictures } from "./page/picture-upload.js";
import { followRailKeys } from "./page/rail-keys.js";
import { currentServer, keepFile } from "./page/reopening.js";
import * as screens from "./page/screens.js";
import { selectFromLink } from "./page/selection.js";
import { hydrate, settle } from "./page/staging.js";
import { settings } from "./settings.js";

/**
 * @typedef {object} Component what Gradio hands to a component's js_on_load
 * @property {HTMLElement} element
 * @property {{ view?: import("./types/page").View | null, value?: unknown }} props
 * @property {(prop: string, listener: () => void) => void} watch
 * @property {(event: string) => void} trigger
 */

/**
 * A component of Gradio's has made the place of a view. The strip's is the one that is told by
 * Python what the whole page shows.
 *
 * @param {string} name
 * @param {Component} component
 */
function mount(name, { element, props, watch, trigger }) {
  const place = element.querySelector(".inside-view");
  if (!(place instanceof HTMLElement)) throw new Error(`The view ${name} has no place.`);
  screens.connect(name, (value) => {
    props.value = value;
    trigger("select");
  });
  writesLesson(name, () => trigger("expand"));
  if (!settle(name, place)) screens.mount(name, place);
  if (name !== screens.STRIP) return;
  const follow = () => {
    if (props.view) screens.setView(props.view);
  };
  watch("view", follow);
  follow();
}

export const Inside = {
  mount,

  /** The place of the visitor's own checkpoints has been made. */
  checkpoints: mountCheckpoints,

  /** Gradio has made all places. The lessons wait until the first picture is on the screen. */
  ready() {
    watchLessons();
    void screens.ready.then(() => {
      beginLessons();
      return import("./guide/index.js").then((guide) => guide.begin());
    });
  },

  /** Python has answered the page's arrival. */
  arrived,

  /** The key of the picture that the page shows; empty until there is one. */
  shown: () => screens.currentView()?.key ?? "",

  /** Python is asked for another picture, size or model; and it has answered. */
  begins,
  ends,

  /**
   * Model and size were touched: what Python is to be asked for.
   *
   * @param {string} model
   * @param {number} size
   * @param {string} before what it was asked for last
   */
  wanted: (model, size, before) => wantedOf(screens.shownView(), { model, size }, before),
};

window.Inside = Inside;
window.fetch = createTransport({
  send: window.fetch.bind(window),
  connection,
  uploads: { keep: keepFile, server: currentServer },
});
watchConnection();
selectFromLink(opening.state);
screens.begin();
followHistory();
preparePictures();
followRailKeys();
const stage = document.getElementById("inside-stage");
if (stage && settings.first) hydrate(stage, settings.first);
