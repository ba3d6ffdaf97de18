/* What the screen asks the server for: steps of a row, one after the other, and their charts. */
import { chartForm } from "../../charts/theme.js";
import { keep, kept } from "../../page/link.js";
import { request, requestJson, sceneOf as sceneOfResponse, sceneUrl } from "../../page/scenes.js";
import { FIRST_PAIR, numberFromLink, PAPER } from "./state.js";

/** @typedef {import("./state.js").State} State */
/** @typedef {import("./state.js").View} View */
/** @typedef {import("./state.js").Options} Options */
/** @typedef {import("./state.js").StepScene} StepScene */
/** @typedef {{ name: string, title: string, step: number }} PairChoice */

const MOST = 50; // steps of a row

/**
 * @param {State} state
 * @param {import("./state.js").Update} update
 */
export function createLoading(state, update) {
  /** Options that are asked for; those of the state are of what is shown. */
  let wanted = state.options;
  let giveUp = new AbortController();
  /** @type {Record<string, number>} name of a pair -> training step, 0 where it is finished */
  let steps = {};
  let linked = numberFromLink("step-number", 0, MOST - 1) ?? 0; // of the link, once

  /**
   * @param {View} view
   * @param {Options} options
   * @param {number} number of the step
   * @param {string | null} [form]
   */
  function addressOf(view, options, number, form = null) {
    const { pair, targets, temperature, rate, dino, ibot, koleo } = options;
    const query = {
      ...{ pair, seed: view.seed, number, targets, dino, ibot, koleo },
      ...{ temperature, learning_rate: rate, form, step: steps[pair] || null },
    };
    return sceneUrl(view.key, "step", withoutNull(query));
  }

  /**
   * Makes steps of a row, the first of them `first`; what is there of the row before that stays.
   * Ends quietly when it is given up or overtaken.
   *
   * @param {{ view: View, options: Options, first: number, count: number }} asked
   */
  async function make({ view, options, first, count }) {
    giveUp.abort();
    const mine = (giveUp = new AbortController());
    const isFresh = view !== state.view || options !== state.options;
    let row = isFresh ? [] : state.row;
    update({ making: { done: 0, wanted: count, first, fresh: isFresh }, playing: false });
    try {
      for (let done = 0; done < count; done++) {
        const response = await request(addressOf(view, options, first + done), {
          signal: mine.signal,
        });
        /** @type {StepScene} */
        const scene = await sceneOfResponse(response);
        if (mine.signal.aborted) return;
        row = [...row, scene];
        const making =
          done + 1 < count ? { done: done + 1, wanted: count, first, fresh: false } : null;
        update({ view, options, row, shown: row.length - 1, making });
        keepInLink(options, scene);
      }
    } finally {
      if (giveUp === mine) {
        wanted = state.options; // those of what is shown, also where nothing came of others
        update({ making: null });
      }
    }
  }

  /** The first step of a picture; that of the link, when the page has just been opened. @param {View} view */
  async function load(view) {
    const first = linked;
    linked = 0;
    if (!kept("step-pair") || Object.keys(steps).length) return fresh(view, first);
    await listPairs(); // a run's pair has a step of its own
    return fresh(view, first);
  }

  /** @param {View} view @param {number} first */
  const fresh = (view, first) => make({ view, options: { ...wanted }, first, count: 1 });

  return {
    load,
    addressOf,

    /** Another pair, or other numbers: a row begins anew. @param {Partial<Options>} change */
    async choose(change) {
      wanted = { ...wanted, ...change };
      if (state.view) await fresh(state.view, 0);
    },

    /** So many more steps of the row that is shown. @param {number} count */
    async goOn(count) {
      const { view, options, row } = state,
        last = row.at(-1);
      if (!view || !last) return;
      const first = last.facts.number + 1;
      if (first < MOST) await make({ view, options, first, count: Math.min(count, MOST - first) });
    },

    /** Gives up what is on its way. */
    cancel: () => giveUp.abort(),

    /** The charts of a step, in the page's colours. @param {View} view @param {StepScene} scene */
    charts: (view, scene) =>
      /** @type {Promise<import("../../types/plotly").Charts>} */ (
        requestJson(addressOf(view, state.options, scene.facts.number, chartForm()))
      ),

    /** Where the numbers of a step are as a file. @param {View} view @param {StepScene} scene */
    npz: (view, scene) => addressOf(view, state.options, scene.facts.number, "npz"),
    listPairs,
  };

  /** Which pairs there are. @returns {Promise<PairChoice[] | null>} null when the server does not say */
  async function listPairs() {
    const answer = await fetchPairs().catch(() => null);
    if (!answer) return null;
    steps = Object.fromEntries(answer.pairs.map(({ name, step }) => [name, step]));
    if (!(wanted.pair in steps)) wanted = { ...wanted, pair: FIRST_PAIR };
    update({ pairs: answer.pairs });
    return answer.pairs;
  }
}

/** @returns {Promise<{ pairs: PairChoice[] }>} */
const fetchPairs = () => requestJson("losses/pairs");

/**
 * @param {Record<string, string | number | null>} query
 * @returns {Record<string, string | number>}
 */
const withoutNull = (query) =>
  Object.fromEntries(
    Object.entries(query).flatMap(([name, value]) => (value === null ? [] : [[name, value]])),
  );

/** @param {Options} options @param {StepScene} scene */
function keepInLink({ pair, targets, temperature, rate, dino, ibot, koleo }, { facts }) {
  keep("step-pair", pair === FIRST_PAIR ? null : pair);
  keep("step-targets", targets === "centering" ? null : targets);
  keep("step-temperature", temperature);
  keep("step-rate", rate);
  keep("step-dino", dino === PAPER.dino ? null : dino);
  keep("step-ibot", ibot === PAPER.ibot ? null : ibot);
  keep("step-koleo", koleo === PAPER.koleo ? null : koleo);
  keep("step-number", facts.number || null);
}
