/* What the screen asks the server for: before and after at once, and what follows from the same changes
   when they rest. */
import { chartForm } from "../../charts/theme.js";
import { ServerError } from "../../page/errors.js";
import { fetchScene, requestJson, sceneUrl } from "../../page/scenes.js";
import { KINDS, isKind, withValue } from "./edits.js";
import { hasKind, layerOf, textsOf } from "./state.js";

/** @typedef {import("./state.js").State} State */
/** @typedef {import("./state.js").View} View */

const PATIENCE = 150; // ms until what is shown is said to be older than what is asked for
const REST = 120; // ms

/**
 * Where a scene of some changes is.
 *
 * @param {{ key: string, seed: number }} view
 * @param {string} path below whatif; empty: before and after
 * @param {readonly string[]} texts
 * @param {Record<string, string | number>} [query]
 */
export function addressOf({ key, seed }, path, texts, query = {}) {
  const address = sceneUrl(key, `whatif${path ? `/${path}` : ""}`, { seed, ...query });
  return address + texts.map((text) => `&edit=${encodeURIComponent(text)}`).join("");
}

/**
 * @param {State} state
 * @param {(change: Partial<State>) => void} update
 * @param {HTMLElement} results what is dimmed while it is older than what is asked for
 * @param {(work: () => unknown) => unknown} run tells on the screen what goes wrong later
 */
export function createLoading(state, update, results, run) {
  let loads = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let resting;

  /** Before and after; what else follows comes a little later. */
  async function load() {
    const { view } = state;
    if (!view) return;
    const mine = ++loads,
      texts = textsOf(state),
      layer = layerOf(view);
    const isOvertaken = () => mine !== loads;
    clearTimeout(resting);
    const late = setTimeout(() => setLate(results, true), PATIENCE);
    try {
      /** @type {import("./state.js").WhatIfScene} */
      const scene = await fetchScene(addressOf(view, "", texts, { layer }));
      if (isOvertaken()) return;
      const known = state.shown?.texts.join() === texts.join() && state.shown.view.key === view.key;
      const { charts = null, prototypes = null, nearest = null } = (known && state.shown) || {};
      update({ shown: { view, texts, scene, charts, prototypes, nearest, alone: [], four: [] } });
    } finally {
      clearTimeout(late);
      if (!isOvertaken()) setLate(results, false);
    }
    resting = setTimeout(() => run(() => rest(isOvertaken)), REST);
  }

  /**
   * What follows from the same changes, one request after the other: each is cheap once the server
   * has computed the forward.
   *
   * @param {() => boolean} isOvertaken
   */
  async function rest(isOvertaken) {
    if (!state.shown) return;
    const { view, texts } = state.shown;
    /** What is missing, in this order. @type {(() => Promise<Partial<State["shown"] & {}> | null>)[]} */
    const steps = [
      async () => (state.isFour ? { four: await fetchFour(view, texts, isOvertaken) } : null),
      async () => (state.shown?.charts ? null : { charts: await fetchCharts(view, texts) }),
      async () => (state.aroundOf === view.key ? null : lookAround(view)),
      async () => (state.shown?.nearest ? null : { nearest: await nearestOf(state, view, texts) }),
      async () =>
        state.around?.pair && !state.shown?.prototypes
          ? { prototypes: await fetchPrototypes(view, texts) }
          : null,
      async () => ({ alone: await fetchAlone(view, texts, isOvertaken) }),
      async () => warm(view),
    ];
    for (const step of steps) {
      if (isOvertaken()) return;
      const found = await step();
      if (found && !isOvertaken() && state.shown) update({ shown: { ...state.shown, ...found } });
    }
  }

  /** @param {View} view */
  async function lookAround(view) {
    /** @type {import("./state.js").Around} */
    const around = await requestJson(sceneUrl(view.key, "whatif/around"));
    update({ around, aroundOf: view.key });
    return null;
  }

  return {
    load,
    /** The four values, or another gallery: what is missing of what is shown. */
    more: () => {
      const mine = loads;
      return rest(() => mine !== loads);
    },
    /** The chart in the colours of a page that has turned light or dark. */
    async recolour() {
      const { shown } = state;
      if (!shown?.charts) return;
      const charts = await fetchCharts(shown.view, shown.texts);
      if (state.shown?.scene === shown.scene) update({ shown: { ...state.shown, charts } });
    },
    /**
     * Whether the server takes a change; ServerError with its sentence where it does not.
     *
     * @param {string} text
     */
    async check(text) {
      if (state.view)
        await fetchScene(
          addressOf(state.view, "", [...textsOf(state), text], { layer: layerOf(state.view) }),
        );
    },
  };
}

/** @param {View} view @param {readonly string[]} texts */
const fetchCharts = (view, texts) =>
  /** @type {Promise<import("../../types/plotly").Charts>} */ (
    requestJson(addressOf(view, "", texts, { form: chartForm() }))
  );

/**
 * @param {View} view
 * @param {readonly string[]} texts
 * @returns {Promise<import("./state.js").PrototypesScene>}
 */
const fetchPrototypes = (view, texts) => fetchScene(addressOf(view, "prototypes", texts));

/**
 * The same places with each of the four values, in turn.
 *
 * @param {View} view
 * @param {readonly string[]} texts
 * @param {() => boolean} isOvertaken
 */
async function fetchFour(view, texts, isOvertaken) {
  /** @type {import("./state.js").Shown["four"]} */
  const four = [];
  if (!hasKind(texts)) return four;
  for (const [kind] of KINDS) {
    if (isOvertaken()) return [];
    const same = texts.map((text) =>
      isKind(text.slice(text.indexOf("=") + 1)) ? withValue(text, kind) : text,
    );
    /** @type {import("./state.js").WhatIfScene} */
    const scene = await fetchScene(addressOf(view, "", same, { layer: layerOf(view) }));
    four.push([kind, scene]);
  }
  return four;
}

const MOST_ALONE = 4; // changes that are looked at one by one

/**
 * What each of several changes does to the class token by itself.
 *
 * @param {View} view
 * @param {readonly string[]} texts
 * @param {() => boolean} isOvertaken
 */
async function fetchAlone(view, texts, isOvertaken) {
  /** @type {number[]} */
  const effects = [];
  if (texts.length < 2 || texts.length > MOST_ALONE) return effects;
  for (const text of texts) {
    if (isOvertaken()) return [];
    /** @type {import("./state.js").WhatIfScene} */
    const scene = await fetchScene(addressOf(view, "", [text], { layer: layerOf(view) }));
    effects.push(1 - scene.facts.cls_cosine);
  }
  return effects;
}

/**
 * The nearest pictures; null where no gallery has features of this model, or it has gone.
 *
 * @param {State} state
 * @param {View} view
 * @param {readonly string[]} texts
 * @returns {Promise<import("./state.js").NearestScene | null>}
 */
async function nearestOf({ around, gallery }, view, texts) {
  const names = around?.galleries.map(([name]) => name) ?? [];
  const name = names.includes(gallery) ? gallery : names[0];
  if (!name) return null;
  try {
    return await fetchScene(addressOf(view, "nearest", texts, { gallery: name }));
  } catch (error) {
    if (error instanceof ServerError) return null;
    throw error;
  }
}

const warmed = new Set(); // models and sizes whose reference pictures have been measured

/** What usually stands there is measured before anybody waits for it. @param {View} view */
async function warm(view) {
  const what = `${view.model} ${view.grid.join(" ")}`;
  if (warmed.has(what)) return null;
  warmed.add(what);
  const last = view.layers - 1;
  await fetchScene(addressOf(view, "", [`attention:${last}=mean`], { layer: last }));
  return null;
}

/** What is shown is not yet what is asked for. @param {HTMLElement} node @param {boolean} late */
function setLate(node, late) {
  node.classList.toggle("inside-late", late);
  node.setAttribute("aria-busy", String(late));
}
