/* What a visitor can do on the screen: one change of the state each, and what has to be asked for
   because of it. */
import { keep } from "../../page/link.js";
import { openScreen } from "../../page/screens.js";
import { select as selectOnPage } from "../../page/selection.js";
import { putIntoTray } from "../../page/to-tray.js";
import { isWaiting } from "./data.js";
import { findPictures } from "./state.js";

const MOST_ROWS = 12; // of a tray

/** @typedef {import("./state.js").State} State */
/** @typedef {ReturnType<typeof createActions>} Actions */

/**
 * @param {object} parts
 * @param {State} parts.state
 * @param {import("./state.js").Update} parts.update
 * @param {import("./loading.js").Loading} parts.loading
 * @param {import("../../page/screens.js").Page} parts.page
 */
export function createActions({ state, update, loading, page }) {
  /** @param {number[]} indices @param {string} words */
  const select = (indices, words) => update({ selection: { indices, words } });
  let searched = 0; // how often: the last time counts
  const features = featureActions({ state, update, loading });
  return {
    ...features,
    select,

    /** @param {number} index the picture at the side */
    pick(index) {
      if (!state.shown) return;
      keep("gallery.pick", index);
      update({ chosen: index, neighbours: null, problem: null });
      void loading.neighbours();
    },

    /** @param {number[]} indices @param {import("../../charts/scatter.js").SelectMode} mode */
    lasso(indices, mode) {
      const before = state.selection.indices;
      if (mode === "new") return select(indices, "");
      if (mode === "add") return select([...new Set([...before, ...indices])], "");
      const without = before.filter((one) => !indices.includes(one));
      select(without.length < before.length ? without : [...before, ...indices], "");
    },

    /** @param {string} text in a name or label */
    async find(text) {
      const { shown } = state,
        mine = ++searched;
      if (!shown) return;
      if (!text.trim()) return select([], "");
      const found = await foundIn(shown, text.trim());
      if (mine !== searched || state.shown !== shown) return;
      select(found, `${found.length} pictures with “${text.trim()}” in name or label`);
    },

    /** The first twelve become the rows of the tray. @param {readonly number[]} indices */
    toTray(indices) {
      const { shown } = state;
      if (!shown) return;
      putIntoTray(indices.slice(0, MOST_ROWS).map((index) => `gallery/${shown.name}/${index}`));
    },

    /** A picture becomes the explorer's, as if it had been uploaded. */
    openInExplorer() {
      const { shown, chosen, layer, view } = state;
      if (!shown || chosen === null) return;
      page.send({ gallery: shown.name, index: chosen, at: Date.now() });
      if (view && layer < view.layers) selectOnPage({ layer });
      openScreen("attention");
    },
  };
}

/**
 * Pictures with a text in their name or label; the names of a large gallery are the server's.
 *
 * @param {import("./state.js").Shown} shown
 * @param {string} text
 * @returns {Promise<number[]>}
 */
async function foundIn({ data, gallery }, text) {
  if (!data.large) return findPictures(gallery, text);
  const found = await data.ask("search", { text });
  return isWaiting(found) ? [] : [...found.indices];
}

/**
 * Which features are looked at, and how.
 *
 * @param {Pick<Parameters<typeof createActions>[0], "state" | "update" | "loading">} parts
 */
function featureActions({ state, update, loading }) {
  /** @param {Partial<Pick<State, "layer" | "features">>} choice */
  function look(choice) {
    update(choice);
    const { shown, layer, features } = state;
    if (!shown) return;
    keep("gallery.layer", layer === shown.gallery.facts.layers - 1 ? null : layer);
    keep("gallery.features", features === "cls" ? null : features);
    void Promise.all([loading.map(), loading.predictions(), loading.neighbours()]);
    void loading.colours();
  }
  return {
    look,

    /** @param {State["method"]} method of the map */
    project(method) {
      keep("gallery.map", method === "pca" ? null : method);
      update({ method, mapWaiting: null });
      void loading.map();
    },

    /**
     * A layer, its features and a classifier at once.
     *
     * @param {Pick<State, "layer" | "features" | "classifier">} choice
     */
    examine({ layer, features, classifier }) {
      update({ classifier });
      look({ layer, features });
    },

    /** @param {Partial<Pick<State, "colour" | "clustering" | "clusterCount">>} choice */
    colour(choice) {
      const { colour } = choice;
      update(colour ? { ...choice, preferredColour: colour } : choice);
      if (colour) keep("gallery.colour", colour);
      void loading.colours();
    },

    /** @param {number} count of neighbours */
    near(count) {
      update({ neighbourCount: count });
      void loading.neighbours();
    },

    /** @param {State["classifier"]} classifier of the probe */
    judge(classifier) {
      update({ classifier });
      void loading.predictions();
      if (state.colour === "prediction") void loading.colours();
    },
  };
}
