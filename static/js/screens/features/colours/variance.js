/* How much of the variance each component explains, as a chart. */
import { chartPlace, plot } from "../../../charts/plot.js";
import { chartForm, onTheme } from "../../../charts/theme.js";
import { requestJson } from "../../../page/scenes.js";
import { debounce } from "../../../ui/frame.js";
import { featuresUrl } from "../fetching.js";

/** @typedef {import("./state.js").LoadedColours} LoadedColours */

const REST = 250; // ms without another colouring

export function createVariance() {
  const node = chartPlace("inside-variance");
  /** @type {LoadedColours | null} */
  let newest = null;
  /** @type {LoadedColours | null} */
  let drawn = null;
  /** @type {() => boolean} */
  let seen = () => false;

  const drawSoon = debounce(async () => {
    const loaded = newest;
    if (!loaded || loaded === drawn || !seen()) return;
    const charts = await fetchCharts(loaded).catch(() => null); // its numbers are not all of the screen
    if (!charts || loaded !== newest) return;
    drawn = loaded;
    await plot(node, charts.variance);
  }, REST);
  onTheme(() => {
    drawn = null;
    drawSoon();
  });
  return {
    node,
    /** Follows what is shown, once it rests. @param {LoadedColours} loaded @param {() => boolean} isSeen */
    follow(loaded, isSeen) {
      newest = loaded;
      seen = isSeen;
      drawSoon();
    },
    /** It came while nobody looked. */
    resume: drawSoon,
  };
}

/** @param {LoadedColours} loaded @returns {Promise<import("../../../types/plotly").Charts>} */
const fetchCharts = ({ view, layer, colouring }) =>
  requestJson(featuresUrl(view, layer, colouring, { form: chartForm() }));
