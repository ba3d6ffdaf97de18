/* What the screen asks about the gallery that is shown: its map, groups, probes and neighbours. Every
   answer is of one gallery and one choice; what has been overtaken is dropped. */
import { sentenceOf } from "../../page/errors.js";
import { requestJson } from "../../page/scenes.js";
import { isWaiting } from "./data.js";
import { askMap, fillUp, settleMap } from "./parts.js";
import { currentPredictions, mapQuery, METHODS, probeKey, probeQuery } from "./state.js";

/** @typedef {import("./state.js").State} State */
/** @typedef {import("./state.js").Shown} Shown */

const PROBE_AGAIN = 2500; // ms, while layers are still being judged

export class Loading {
  predicting = 0; // how often predictions have been asked for: the last time counts

  /**
   * @param {State} state
   * @param {import("./state.js").Update} update
   */
  constructor(state, update) {
    this.state = state;
    this.update = update;
  }

  /**
   * Whether what was asked for is wanted still: the same gallery, and the same answer of `key`.
   *
   * @param {Shown} shown
   * @param {() => unknown} key
   */
  #stillOf(shown, key) {
    const then = JSON.stringify(key());
    return () => this.state.shown === shown && JSON.stringify(key()) === then;
  }

  /** The map of the layer, features and method that are chosen; PCA until another one is made. */
  async map() {
    const { state, update } = this,
      { shown } = state;
    if (!shown) return;
    const query = mapQuery(state),
      still = this.#stillOf(shown, () => mapQuery(state)),
      name = METHODS[state.method];
    const onwait = (/** @type {string} */ words) =>
      update({ mapWaiting: `${name} is on its way; until then this is PCA. ${words}` });
    try {
      if (state.method !== "pca") {
        const there = await askMap(shown.data, query);
        if (isWaiting(there) && still()) {
          const flat = await askMap(shown.data, { ...query, method: "pca" });
          if (still() && !isWaiting(flat)) {
            update({ points: flat });
            void this.rest({ ...query, method: "pca" });
          }
        }
      }
      const points = await settleMap(shown.data, { query, still, onwait });
      if (points) {
        update({ points, mapWaiting: null });
        void this.rest(query);
      }
    } catch (error) {
      if (still()) await this.#mapInstead(shown, sentenceOf(error));
    }
  }

  /**
   * Where a map cannot be made PCA stands in its place, and it is said why.
   *
   * @param {Shown} shown
   * @param {string} why
   */
  async #mapInstead(shown, why) {
    const { state, update } = this,
      isFlat = () => state.shown === shown && state.method === "pca";
    update({ mapWaiting: why });
    if (isFlat()) return;
    update({ method: "pca" });
    await this.map();
    if (isFlat() && !state.mapWaiting) update({ mapWaiting: `${why} This is PCA.` });
  }

  /**
   * The rest of the map that is on the screen, where it comes in parts.
   *
   * @param {import("./data.js").Query} query of its first part
   */
  async rest(query) {
    const { shown, points } = this.state;
    if (!shown?.data.large || !points) return;
    const still = () => this.state.shown === shown && this.state.points?.xy === points.xy,
      onpart = (/** @type {import("./data.js").Points} */ more) => this.update({ points: more });
    await fillUp(shown.data, points, { query, still, onpart }).catch((error) => {
      if (still()) this.update({ problem: sentenceOf(error) });
    });
  }

  /** The groups that the colours stand for, where the server is needed for them. */
  async colours() {
    const { state, update } = this,
      { shown, colour, clustering, clusterCount, features, layer } = state;
    if (!shown || colour === "label") return update({ coloursWaiting: null });
    const choice = () => [state.colour, state.clustering, state.clusterCount, probeQuery(state)],
      still = this.#stillOf(shown, choice);
    const onwait = (/** @type {string} */ words) => update({ coloursWaiting: words });
    try {
      if (colour === "cluster") {
        const k = clustering === "kmeans" ? clusterCount : null,
          query = { method: clustering, k, features, layer },
          clusters = await shown.data.settle("clusters", { query, still, onwait });
        if (clusters) update({ clusters, coloursWaiting: null });
      } else {
        const query = probeQuery(state),
          predictions = await shown.data.settle("predictions", { query, still, onwait });
        if (predictions) update({ predictions, predicted: probeKey(state), coloursWaiting: null });
      }
    } catch (error) {
      if (still()) await this.#coloursInstead(shown, sentenceOf(error));
    }
  }

  /**
   * Where HDBSCAN finds no groups those of k-means stand in their place, and it is said why.
   *
   * @param {Shown} shown
   * @param {string} why there are none of what was asked for
   */
  async #coloursInstead(shown, why) {
    const { state, update } = this;
    update({ clusters: null, predictions: null, coloursWaiting: why });
    if (state.colour !== "cluster" || state.clustering === "kmeans") return;
    update({ clustering: "kmeans" });
    const still = this.#stillOf(shown, () => [state.colour, state.clustering]);
    await this.colours();
    if (still() && state.clusters)
      update({ coloursWaiting: `${why} These groups are of k-means.` });
  }

  /** What the probe that is chosen says of each picture, as soon as that has been judged. */
  async predictions() {
    const { state, update } = this,
      { shown } = state;
    if (!shown?.gallery.facts.classes.length || !state.probe) return;
    if (currentPredictions(state)) return;
    const mine = ++this.predicting,
      same = this.#stillOf(shown, () => probeQuery(state)),
      still = () => mine === this.predicting && same(),
      query = probeQuery(state),
      found = await shown.data.settle("predictions", { query, still }).catch(() => null);
    if (found && still()) update({ predictions: found, predicted: probeKey(state) });
  }

  /** How well simple classifiers do, layer by layer, until all have been judged. */
  async probe() {
    const { state, update } = this,
      { shown } = state;
    if (!shown) return;
    if (!shown.gallery.facts.classes.length) {
      const probeMessage = "Probes need labels: a folder for each class in the zip.";
      return update({ probe: null, probeNever: true, probeMessage });
    }
    const still = () => state.shown === shown;
    const onwait = (/** @type {string} */ words) => update({ probeMessage: words });
    try {
      for (;;) {
        const probe = await shown.data.settle("probe", { still, onwait });
        if (!probe) return;
        update({ probe, probeNever: false, probeMessage: "" });
        void this.predictions();
        if (probe.facts.complete) return;
        await new Promise((done) => setTimeout(done, PROBE_AGAIN));
        shown.data.forget("probe");
      }
    } catch (error) {
      if (still()) update({ probe: null, probeNever: true, probeMessage: sentenceOf(error) });
    }
  }

  /** The nearest of the chosen picture in the space of the features. */
  async neighbours() {
    const { state, update } = this,
      { shown } = state;
    if (!shown || state.chosen === null) return;
    const choice = () => [state.chosen, ...neighbourChoice(state)],
      still = this.#stillOf(shown, choice),
      query = neighbourQuery(state);
    try {
      const picture = state.chosen,
        neighbours = await shown.data.settle("neighbours", { query, picture, still });
      if (neighbours) update({ neighbours });
    } catch (error) {
      if (still()) update({ problem: sentenceOf(error) });
    }
  }

  /** Where the explorer's picture is among these. */
  async own() {
    const { state, update } = this,
      { shown, view } = state;
    if (!shown || !view) return;
    const still = () => state.shown === shown && state.view === view;
    const found = await whereIs(shown, view);
    if (still()) update({ own: found !== null && found >= 0 ? found : null });
  }

  /** The line that builds this gallery again. */
  async command() {
    const { shown } = this.state;
    if (!shown) return;
    /** @type {Promise<{ command: string }>} */
    const answer = requestJson(shown.data.url("command"));
    const { command } = await answer.catch(() => ({ command: "" }));
    if (this.state.shown === shown) this.update({ command });
  }
}

/** @param {State} state */
const neighbourChoice = ({ neighbourCount, features, layer }) => [neighbourCount, features, layer];

/** What the neighbours are of. @param {State} state */
export const neighbourQuery = ({ neighbourCount, features, layer }) => ({
  k: neighbourCount,
  features,
  layer,
});

/**
 * @param {Shown} shown
 * @param {import("./state.js").View} view
 * @returns {Promise<number | null>}
 */
async function whereIs({ name, data, gallery }, view) {
  if (name === "samples") return gallery.facts.names.indexOf(view.sample);
  if (view.key === "first") return null;
  /** @type {Promise<{ index: number | null }>} */
  const answer = requestJson(data.url("find", { key: view.key }));
  return (await answer.catch(() => ({ index: null }))).index;
}
