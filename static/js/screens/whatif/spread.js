/* How the change spreads through the layers, and the layer that is shown. */
import { chartPlace, moveLine, plot } from "../../charts/plot.js";

export function createSpread() {
  const place = chartPlace("inside-through-layers");
  /** @type {import("../../types/plotly").Chart | null} */
  let drawn = null;
  return {
    node: place,
    /** @param {import("./state.js").Shown} shown */
    async draw({ charts, scene }) {
      const chart = charts?.spread;
      if (!chart) return;
      if (chart !== drawn) {
        drawn = chart;
        await plot(place, chart);
      }
      moveLine(place, scene.facts.layer);
    },
  };
}
