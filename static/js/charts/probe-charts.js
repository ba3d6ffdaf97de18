/* What simple classifiers read off each layer: the server's charts, one for each classifier. */
import { sentenceOf } from "../page/errors.js";
import { requestJson } from "../page/scenes.js";
import { plot } from "./plot.js";
import { chartForm } from "./theme.js";

/** @typedef {import("../types/plotly").Charts} Charts */

/**
 * @typedef {object} Drawing
 * @property {object} probe the scene that the charts are of
 * @property {(form: string) => string} url where they are
 * @property {string} classifier
 * @property {number} layer where the cursor is
 */

/**
 * The charts of the probe that is shown, fetched once for each and in the colours of the page.
 *
 * @param {HTMLElement} place
 */
export function createProbeCharts(place) {
  /** @type {{ key: unknown[], charts: Promise<Charts> } | null} */
  let known = null;
  /** @type {Drawing | null} */
  let newest = null;
  return {
    /** @param {Drawing} drawing */
    async draw(drawing) {
      newest = drawing;
      const key = [drawing.probe, chartForm()];
      if (!known || known.key.some((one, i) => one !== key[i]))
        known = { key, charts: requestJson(drawing.url(chartForm())) };
      const mine = known;
      try {
        const charts = await mine.charts;
        if (known !== mine || newest.probe !== drawing.probe) return;
        await plot(place, atLayer(charts[newest.classifier], newest.layer));
      } catch (error) {
        if (known === mine) known = null; // asked for again with the next change
        console.warn(sentenceOf(error));
      }
    },
  };
}

/**
 * A chart with its cursor at a layer.
 *
 * @param {import("../types/plotly").Chart} chart
 * @param {number} layer
 */
const atLayer = ({ data, layout }, layer) => ({
  data,
  layout: {
    ...layout,
    shapes: (layout.shapes ?? []).map((line) => ({
      ...line,
      x0: layer,
      x1: layer,
      visible: true,
    })),
  },
});
