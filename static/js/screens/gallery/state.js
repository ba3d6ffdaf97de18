/* What the screen of many pictures shows, in one object that is changed in one place. */
import { kept } from "../../page/link.js";
import { groupColour } from "../../charts/groups.js";
import { CLASSIFIERS, FEATURES } from "../../ui/probe-scores.js";

/** @typedef {import("../../types/page").View} View */
/** @typedef {import("./data.js").GalleryData} GalleryData */
/** @typedef {import("./data.js").Gallery} Gallery */
/** @typedef {import("./tile-thumbnails.js").TileThumbnails} TileThumbnails */
/** @typedef {import("./thumbnails.js").Thumbnails | TileThumbnails} Thumbnails */
/** @typedef {"pca" | "umap" | "tsne"} Method */
/** @typedef {import("../../ui/probe-scores.js").Features} Features */
/** @typedef {"label" | "cluster" | "prediction"} Colour */
/** @typedef {import("../../ui/probe-scores.js").Classifier} Classifier */

/**
 * @typedef {object} Card what its visitor may know about a gallery, finished or not
 * @property {string} name
 * @property {string} title what the visitor called the pictures
 * @property {boolean} mine
 * @property {number} pictures
 * @property {number} classes
 * @property {string} model
 * @property {number | null} size px
 * @property {string} state waiting, starting, embedding, mapping, ready, failed, stopped
 * @property {string} words a sentence for who waits
 * @property {number} done
 * @property {number} total
 * @property {number | null} seconds_left
 * @property {[name: string, why: string][]} broken the first of them
 * @property {number} broken_count
 * @property {[name: string, why: string][]} left_out files that were not taken, the first of them
 * @property {number} left_out_count
 * @property {Record<string, number>} aside folders that were passed over, with their files
 * @property {import("../../ui/picture-choice.js").PictureChoice} choice which pictures were taken
 * @property {string[]} notes how the folders were understood, in sentences
 * @property {boolean} alive whether its process is at work
 * @property {boolean} seen whether there are features to look at
 * @property {string} doing what is computed now
 * @property {("stop" | "resume")[]} actions what can be asked of it now
 */

/**
 * @typedef {object} Shown the gallery that is on the screen: everything else that is shown is of it
 * @property {string} name
 * @property {GalleryData} data
 * @property {Gallery} gallery
 * @property {import("./names.js").Names} names of its pictures
 * @property {Thumbnails} thumbnails
 * @property {Card} card as it was opened: of its title
 */

/** @typedef {{ indices: number[], words: string }} Selection */

/**
 * @typedef {object} State
 * @property {View | null} view
 * @property {Card[]} cards this visitor's galleries
 * @property {[name: string, label: string][]} models for the next upload
 * @property {string | null} name of the gallery that was asked for
 * @property {Card | null} card of that one
 * @property {Shown | null} shown null: none that was asked for can be shown yet
 * @property {string | null} problem what the visitor is told, until the next step
 * @property {Method} method
 * @property {Features} features
 * @property {number} layer
 * @property {Colour} colour
 * @property {Colour} preferredColour for the galleries that have labels
 * @property {"kmeans" | "hdbscan"} clustering
 * @property {number} clusterCount
 * @property {number} neighbourCount
 * @property {Classifier} classifier
 * @property {import("./data.js").Points | null} points
 * @property {string | null} mapWaiting in words, while another map is being made
 * @property {import("./data.js").Clusters | null} clusters
 * @property {import("./data.js").Predictions | null} predictions of `predicted`
 * @property {string} predicted `probeKey` of the predictions
 * @property {string | null} coloursWaiting in words
 * @property {import("./data.js").Probe | null} probe
 * @property {string} probeMessage why there is none
 * @property {boolean} probeNever and there will be none
 * @property {number | null} chosen the picture at the side
 * @property {import("./data.js").Neighbours | null} neighbours of that one
 * @property {number | null} own where the explorer's picture is
 * @property {Selection} selection
 * @property {string} command the line that builds this gallery
 * @property {number} named how often more names of a large gallery have come
 */

/** @type {Record<Method, string>} */
export const METHODS = { pca: "PCA", umap: "UMAP", tsne: "t-SNE" };
/** @type {Record<Colour, string>} */
export const COLOURS = { label: "Labels", cluster: "Clusters", prediction: "Predictions" };

/**
 * The pairs of a record with the types of its keys.
 *
 * @template {string} Key
 * @param {Record<Key, string>} record
 */
export const pairs = (record) => /** @type {[Key, string][]} */ (Object.entries(record));

/**
 * A word of the link, where it is one that is known.
 *
 * @template {string} Key
 * @param {Record<Key, string>} known
 * @param {string} name
 * @param {Key} otherwise
 * @returns {Key}
 */
function keptChoice(known, name, otherwise) {
  const word = kept(name);
  return pairs(known).find(([key]) => key === word)?.[0] ?? otherwise;
}

/**
 * @param {(state: State, change: Partial<State>) => void} render draws what a change concerns
 */
export function createState(render) {
  /** @type {State} */
  const state = {
    view: null,
    cards: [],
    models: [],
    name: null,
    card: null,
    shown: null,
    problem: null,
    method: keptChoice(METHODS, "gallery.map", "pca"),
    features: keptChoice(FEATURES, "gallery.features", "cls"),
    layer: 0,
    colour: "label",
    preferredColour: keptChoice(COLOURS, "gallery.colour", "label"),
    clustering: "kmeans",
    clusterCount: 8,
    neighbourCount: 10,
    classifier: "knn",
    points: null,
    mapWaiting: null,
    clusters: null,
    predictions: null,
    predicted: "",
    coloursWaiting: null,
    probe: null,
    probeMessage: "",
    probeNever: false,
    chosen: null,
    neighbours: null,
    own: null,
    selection: { indices: [], words: "" },
    command: "",
    named: 0,
  };
  /** @param {Partial<State>} change */
  function update(change) {
    Object.assign(state, change);
    render(state, change);
  }
  return { state, update };
}

/** @typedef {(change: Partial<State>) => void} Update */

/** What the map is of. @param {State} state */
export const mapQuery = ({ features, layer, method }) => ({ features, layer, method });

/** What the predictions are of. @param {State} state */
export const probeQuery = ({ layer, features, classifier }) => ({
  layer,
  kind: features,
  method: classifier,
});

/** @param {State} state */
export const probeKey = (state) => JSON.stringify(probeQuery(state));

/** Whether the map on the screen is not yet the one that was asked for. @param {State} state */
export const isMapOld = ({ points, features, layer }) =>
  points !== null && (points.facts.features !== features || points.facts.layer !== layer);

/** Predictions of what is chosen now; null while they are still to come. @param {State} state */
export const currentPredictions = (state) =>
  state.predicted === probeKey(state) ? state.predictions : null;

// ---------- groups: what the colours mean

/** int per picture, negative: in none. @param {State} state @returns {ArrayLike<number>} */
export function groupsOf({ colour, clusters, predictions, shown }) {
  if (colour === "cluster" && clusters) return clusters.labels;
  if (colour === "prediction" && predictions) return predictions.labels;
  return colour === "label" && shown ? shown.gallery.labels : [];
}

/** @param {State} state @param {number} group */
export function groupName({ colour, shown }, group) {
  if (colour === "cluster") return group < 0 ? "In no cluster" : `Cluster ${group}`;
  if (group < 0) return colour === "label" ? "No label" : "Not judged";
  return shown?.gallery.facts.classes[group] ?? "";
}

/** @param {State} state @returns {(index: number) => readonly number[]} */
export function colourOfPictures(state) {
  const groups = groupsOf(state);
  /** @type {Map<number, readonly number[]>} */
  const known = new Map();
  return (index) => {
    const group = groups[index] ?? -1,
      colour = known.get(group) ?? groupColour(group);
    known.set(group, colour);
    return colour;
  };
}

/** A picture in lines, as the map tells it. @param {State} state @param {number} index */
export function describePicture(state, index) {
  if (!state.shown) return "";
  const { labels, facts } = state.shown.gallery,
    label = labels[index],
    group = groupsOf(state)[index] ?? -1,
    lines = [state.shown.names.of(index), label >= 0 ? facts.classes[label] : ""];
  if (state.colour === "cluster") lines.push(groupName(state, group));
  if (state.colour === "prediction")
    lines.push(`${CLASSIFIERS[state.classifier]}: ${groupName(state, group)}`);
  return lines.filter(Boolean).join("\n");
}

/** Pictures with a text in their name or label. @param {Gallery} gallery @param {string} text */
export function findPictures({ labels, facts: { names, classes } }, text) {
  const wanted = text.trim().toLowerCase();
  const holds = (/** @type {string | undefined} */ word) => word?.toLowerCase().includes(wanted);
  return names.flatMap((name, i) => (holds(name) || holds(classes[labels[i]]) ? [i] : []));
}
