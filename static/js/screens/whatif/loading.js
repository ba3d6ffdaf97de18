/* What the screen asks the server for: before and after at once, and what follows from the same changes
   when they rest. */
import { chartForm } from "../../charts/theme.js";
import { ServerError } from "../../page/errors.js";
import { fetchScene, requestJson, sceneUrl } from "../../page/scenes.js";
import { KINDS, isKind, withValue } from "./edits.js";
import { fetchBeside, otherOf } from "./other-model.js";
import { SAMPLES } from "./references.js";
import { hasKind, isSame, layerOf, questionOf, textsOf } from "./state.js";

/** @typedef {import("./state.js").State} State */
/** @typedef {import("./state.js").Question} Question */
/** @typedef {import("./state.js").View} View */

const PATIENCE = 150; // ms until what is shown is said to be older than what is asked for
const REST = 120; // ms

/**
 * Where a scene of some changes is.
 *
 * @param {Question} question
 * @param {string} path below whatif; empty: before and after
 * @param {Record<string, string | number | boolean>} [query]
 */
export function addressOf({ view: { key, seed }, texts, reference }, path, query = {}) {
  /** @type {Record<string, string>} */
  const from = reference === SAMPLES ? {} : { reference };
  const address = sceneUrl(key, `whatif${path ? `/${path}` : ""}`, { seed, ...from, ...query });
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
      layer = layerOf(view);
    const isOvertaken = () => mine !== loads;
    clearTimeout(resting);
    const late = setTimeout(() => setLate(results, true), PATIENCE);
    try {
      // A link may name a gallery that this visitor does not have.
      if (state.reference !== SAMPLES && state.aroundOf !== view.key) await lookAround(view);
      const question = questionOf({ ...state, view });
      /** @type {import("./state.js").WhatIfScene} */
      const scene = await fetchScene(addressOf(question, "", { layer }));
      if (isOvertaken()) return;
      const known = state.shown !== null && isSame(state.shown, question);
      const { charts = null, prototypes = null, nearest = null } = (known && state.shown) || {};
      update({
        shown: {
          ...question,
          scene,
          charts,
          prototypes,
          nearest,
          alone: [],
          four: [],
          beside: null,
        },
      });
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
    const question = state.shown,
      { view } = question;
    /** What is missing, in this order. @type {(() => Promise<Partial<State["shown"] & {}> | null>)[]} */
    const steps = [
      async () => (state.isFour ? { four: await fetchFour(question, isOvertaken) } : null),
      async () => (state.shown?.charts ? null : { charts: await fetchCharts(question) }),
      async () => (state.aroundOf === view.key ? null : lookAround(view)),
      async () => (isBesideMissing(state) ? { beside: await fetchOther(state, question) } : null),
      async () => (state.shown?.nearest ? null : { nearest: await nearestOf(state, question) }),
      async () =>
        state.around?.pair && !state.shown?.prototypes
          ? { prototypes: await fetchPrototypes(question) }
          : null,
      async () => ({ alone: await fetchAlone(question, isOvertaken) }),
      async () => warm(question),
    ];
    // Another before and after may have come meanwhile, to which none of this belongs.
    const isStale = () => isOvertaken() || state.shown?.scene !== question.scene;
    for (const step of steps) {
      if (isStale()) return;
      const found = await step();
      if (found && !isStale() && state.shown) update({ shown: { ...state.shown, ...found } });
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
    /** Galleries may have been made meanwhile. */
    async lookAgain() {
      if (state.view && state.aroundOf === state.view.key) await lookAround(state.view);
    },
    /** The four values, or another gallery: what is missing of what is shown. */
    more: () => {
      const mine = loads;
      return rest(() => mine !== loads);
    },
    recolour: () => recolour(state, update),
    /** Whether the server takes a change. @param {string} text */
    check: (text) => check(state, text),
  };
}

/**
 * The chart in the colours of a page that has turned light or dark.
 *
 * @param {State} state
 * @param {(change: Partial<State>) => void} update
 */
async function recolour(state, update) {
  const { shown } = state;
  if (!shown?.charts) return;
  const charts = await fetchCharts(shown);
  if (state.shown?.scene === shown.scene) update({ shown: { ...state.shown, charts } });
}

/**
 * ServerError with its sentence where the server does not take a change.
 *
 * @param {State} state
 * @param {string} text
 */
async function check(state, text) {
  const { view } = state;
  if (!view) return;
  const question = questionOf({ ...state, view }),
    texts = [...textsOf(state), text];
  await fetchScene(addressOf({ ...question, texts }, "", { layer: layerOf(view) }));
}

/** @param {Question} question */
const fetchCharts = (question) =>
  /** @type {Promise<import("../../types/plotly").Charts>} */ (
    requestJson(addressOf(question, "", { form: chartForm() }))
  );

/**
 * @param {Question} question
 * @returns {Promise<import("./state.js").PrototypesScene>}
 */
const fetchPrototypes = (question) => fetchScene(addressOf(question, "prototypes"));

/** @param {Question} question @returns {Promise<import("./state.js").WhatIfScene>} */
const fetchEffects = (question) =>
  fetchScene(
    addressOf(question, "", { layer: Math.min(layerOf(question.view), question.view.layers - 1) }),
  );

/** @param {State} state */
const isBesideMissing = (state) => {
  const other = otherOf(state);
  return other !== "" && state.shown?.beside?.model !== other;
};

/** @param {State} state @param {Question} question */
const fetchOther = (state, question) => fetchBeside(question, otherOf(state), fetchEffects);

/**
 * The same places with each of the four values, in turn.
 *
 * @param {Question} question
 * @param {() => boolean} isOvertaken
 */
async function fetchFour(question, isOvertaken) {
  /** @type {import("./state.js").Shown["four"]} */
  const four = [];
  if (!hasKind(question.texts)) return four;
  for (const [kind] of KINDS) {
    if (isOvertaken()) return [];
    const texts = question.texts.map((text) =>
      isKind(text.slice(text.indexOf("=") + 1)) ? withValue(text, kind) : text,
    );
    four.push([kind, await fetchEffects({ ...question, texts })]);
  }
  return four;
}

const MOST_ALONE = 4; // changes that are looked at one by one

/**
 * What each of several changes does to the class token by itself.
 *
 * @param {Question} question
 * @param {() => boolean} isOvertaken
 */
async function fetchAlone(question, isOvertaken) {
  /** @type {number[]} */
  const effects = [],
    { texts } = question;
  if (texts.length < 2 || texts.length > MOST_ALONE) return effects;
  for (const text of texts) {
    if (isOvertaken()) return [];
    const scene = await fetchEffects({ ...question, texts: [text] });
    effects.push(1 - scene.facts.cls_cosine);
  }
  return effects;
}

/**
 * The nearest pictures; null where no gallery has features of this model, or it has gone.
 *
 * @param {State} state
 * @param {Question} question
 * @returns {Promise<import("./state.js").NearestScene | null>}
 */
async function nearestOf({ around, gallery }, question) {
  const names = around?.galleries.map(([name]) => name) ?? [];
  const name = names.includes(gallery) ? gallery : names[0];
  if (!name) return null;
  try {
    return await fetchScene(addressOf(question, "nearest", { gallery: name }));
  } catch (error) {
    if (error instanceof ServerError) return null;
    throw error;
  }
}

const warmed = new Set(); // models and sizes whose reference pictures have been measured

/** What usually stands there is measured before anybody waits for it. @param {Question} question */
async function warm(question) {
  const { view, reference } = question,
    what = `${view.model} ${view.grid.join(" ")} ${reference}`;
  if (warmed.has(what)) return null;
  warmed.add(what);
  await fetchEffects({ ...question, texts: [`attention:${view.layers - 1}=mean`] });
  return null;
}

/** What is shown is not yet what is asked for. @param {HTMLElement} node @param {boolean} late */
function setLate(node, late) {
  node.classList.toggle("inside-late", late);
  node.setAttribute("aria-busy", String(late));
}
