/* What the screen asks the server for: which heads there are, and what they say of the picture. */
import { keep } from "../../page/link.js";
import { fetchScene, requestJson, sceneUrl } from "../../page/scenes.js";
import { FIRST_PAIR } from "./state.js";

/** @typedef {import("./state.js").State} State */
/** @typedef {import("./state.js").View} View */
/** @typedef {import("./state.js").Options} Options */
/** @typedef {{ name: string, title: string, step: number }} PairChoice */

/**
 * @param {State} state
 * @param {(change: Partial<State>) => void} update
 */
export function createLoading(state, update) {
  /** What was asked for last. */
  let wanted = { view: /** @type {View | null} */ (null), options: state.options };
  /** @type {Record<string, number>} name of the heads -> training step, 0 where they are finished */
  let steps = { preview: 0, cifar: 0 };

  const stepOf = (/** @type {string} */ pair) => given({ step: steps[pair] || null });

  /** @param {View} view @param {Options} options @param {string | null} [form] */
  function addressOf(view, options, form = null) {
    const { pair, targets, temperature, studentTemperature } = options;
    const settings = { targets, temperature, student_temperature: studentTemperature, form };
    return sceneUrl(view.key, "losses", {
      seed: view.seed,
      pair,
      ...stepOf(pair),
      ...given(settings),
    });
  }

  /** The losses of a view. @param {View} view @param {Options} [options] */
  async function load(view, options = wanted.options) {
    wanted = { view, options };
    const asked = wanted;
    update({ waiting: true });
    /** @type {import("./state.js").LossesScene} */
    const scene = await fetchScene(addressOf(view, options));
    if (asked !== wanted) return; // overtaken
    const sheet = sceneUrl(view.key, `losses/references/${options.pair}.jpg`, stepOf(options.pair));
    wanted.options = asTrained(options, scene);
    keepInLink(wanted.options);
    update({
      view,
      scene,
      options: wanted.options,
      sheet: new URL(sheet, document.baseURI).href,
      hovered: null,
      under: null,
      waiting: false,
    });
  }

  /** Other heads, targets or temperatures for the picture that is shown. @param {Partial<Options>} change */
  async function choose(change) {
    wanted.options = { ...wanted.options, ...change };
    if (wanted.view) await load(wanted.view, wanted.options);
  }

  /**
   * Which heads there are: a run may have gone on, or have been deleted.
   *
   * @returns {Promise<PairChoice[] | null>} null when the server does not say
   */
  async function listPairs() {
    const answer = await fetchPairs().catch(() => null);
    if (!answer) return null;
    steps = Object.fromEntries(answer.pairs.map(({ name, step }) => [name, step]));
    if (!(wanted.options.pair in steps)) {
      wanted.options = { ...wanted.options, pair: FIRST_PAIR };
      if (state.scene && wanted.view) await load(wanted.view, wanted.options);
    }
    return answer.pairs;
  }

  return {
    load,
    choose,
    listPairs,
    /**
     * Where the numbers that are shown can be fetched as a file.
     *
     * @param {View} view
     * @param {Options} options
     */
    npz: (view, options) => addressOf(view, options, "npz"),
  };
}

/** @returns {Promise<{ pairs: PairChoice[] }>} */
const fetchPairs = () => requestJson("losses/pairs");

/**
 * The settings of a query that have a value.
 *
 * @param {Record<string, string | number | null>} settings
 * @returns {Record<string, string | number>}
 */
function given(settings) {
  /** @type {Record<string, string | number>} */
  const query = {};
  for (const [name, value] of Object.entries(settings)) if (value !== null) query[name] = value;
  return query;
}

/**
 * Options without those that ask for what the heads were trained with anyway.
 *
 * @param {Options} options
 * @param {import("./state.js").LossesScene} scene
 * @returns {Options}
 */
function asTrained({ pair, targets, temperature, studentTemperature }, { facts: { recipe } }) {
  const unless = (/** @type {number | null} */ value, /** @type {number} */ trained) =>
    value !== null && Math.abs(value - trained) < 1e-6 ? null : value;
  return {
    pair,
    targets: targets === "centering" ? null : targets, // what is shown unless something else is chosen
    temperature: unless(temperature, recipe.temperature),
    studentTemperature: unless(studentTemperature, recipe.student_temperature),
  };
}

/** @param {Options} options */
function keepInLink({ pair, targets, temperature, studentTemperature }) {
  keep("pair", pair === FIRST_PAIR ? null : pair);
  keep("targets", targets);
  keep("hot", temperature);
  keep("soft", studentTemperature);
}
