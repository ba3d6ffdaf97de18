/* How the PCA is coloured: a preset, and under "More" what differs from it. */
import { settings } from "../../../settings.js";
import { choice, pick, slider, toggle } from "../../../ui/controls.js";
import { el } from "../../../ui/dom.js";
import { plural } from "../../../ui/format.js";
import { rafThrottle } from "../../../ui/frame.js";

export const COMPONENTS = 8; // that are computed

/** @typedef {import("../state.js").Changes} Changes */

/** @param {...HTMLElement} nodes */
const row = (...nodes) => el("div", { class: "inside-controls" }, ...nodes);

/** @param {import("../state.js").Screen} screen */
export function createControls(screen) {
  const { state } = screen;
  /** @param {Partial<import("../state.js").Colouring>} next */
  function recolour(next) {
    screen.update({ colouring: { ...state.colouring, ...next } });
    screen.reload();
  }
  const change = (/** @type {Changes} */ next) =>
    recolour({ changes: { ...state.colouring.changes, ...next } });

  const presets = choice("Preset", settings.presets, "paper", (preset) =>
    recolour({ preset, changes: {} }),
  );
  const flip = toggle(
    "Swap foreground and background",
    "The sign of the first component is arbitrary",
    false,
    (on) => recolour({ flip: on }),
  );
  const recipe = createRecipe(change),
    channels = createChannels(state, change),
    look = createLook(screen);
  const summary = el("summary", { text: "More" });
  return {
    node: el(
      "div",
      { class: "inside-left" },
      row(presets.node, flip.node),
      el(
        "details",
        { class: "inside-more" },
        summary,
        el("div", { class: "inside-left" }, ...recipe.rows, channels.node, look.node),
      ),
    ),

    /** The controls say what was used. @param {import("./state.js").LoadedColours} loaded */
    draw({ scene, colouring }) {
      const { config } = scene.facts,
        count = Object.keys(colouring.changes).length;
      presets.set(colouring.preset);
      flip.set(colouring.flip);
      flip.node.disabled = !config.foreground;
      recipe.draw(config);
      channels.draw(config);
      summary.textContent = count
        ? `More: ${plural(count, "setting differs", "settings differ")} from the preset`
        : "More";
    },
  };
}

/** @typedef {import("../fetching.js").FeaturesScene["facts"]["config"]} Config */

/** @param {(changes: Changes) => void} change */
function createRecipe(change) {
  const foreground = toggle(
    "Foreground step",
    "A first PCA parts object and background, a second one looks at the object alone",
    true,
    (on) => change({ foreground: on }),
  );
  const threshold = slider("Threshold", {
    min: -2,
    max: 2,
    step: 0.05,
    format: (value) => `${value.toFixed(2)} sd`,
    oninput: rafThrottle((/** @type {number} */ value) => change({ threshold: value })),
  });
  const median = toggle(
    "3 × 3 median",
    "Smooths the foreground before it is cut out",
    false,
    (on) => change({ median: on }),
  );
  const whiten = toggle(
    "Whiten",
    "Every component in units of its standard deviation",
    false,
    (on) => change({ whiten: on }),
  );
  const range = choice(
    "Colour range",
    /** @type {const} */ ([
      ["minmax", "Smallest to largest"],
      ["sigmoid", "Sigmoid of 2 x"],
    ]),
    "minmax",
    (colours) => change({ colours }),
  );
  return {
    rows: [row(foreground.node, threshold.node, median.node), row(whiten.node, range.node)],
    /** @param {Config} config */
    draw(config) {
      foreground.set(config.foreground);
      threshold.set(config.threshold);
      median.set(config.median);
      whiten.set(config.whiten);
      range.set(config.colours);
      threshold.input.disabled = median.node.disabled = !config.foreground;
    },
  };
}

/**
 * Which component is red, which green, which blue; counted from 0.
 *
 * @param {import("../state.js").State} state
 * @param {(changes: Changes) => void} change
 */
function createChannels(state, change) {
  const numbers = Array.from(
    { length: COMPONENTS },
    (_, i) => /** @type {[number, string]} */ ([i, String(i)]),
  );
  const channels = ["Red", "Green", "Blue"].map((name, channel) =>
    pick(name, numbers, channel, (value) => {
      const shown = state.colours.loaded?.scene.facts.config.components ?? [0, 1, 2];
      change({ components: shown.map((one, i) => (i === channel ? Number(value) : one)) });
    }),
  );
  return {
    node: row(
      el("span", { class: "inside-quiet", text: "Component shown as, counted from 0" }),
      ...channels.map((channel) => channel.node),
    ),
    /** @param {Config} config */
    draw: (config) => channels.forEach((channel, i) => channel.set(config.components[i])),
  };
}

/** What changes the picture alone. @param {import("../state.js").Screen} screen */
function createLook({ state, update }) {
  const outline = toggle("Outline", "A line around the foreground", false, (outlined) =>
    update({ colours: { ...state.colours, outlined } }),
  );
  const overlay = slider("Overlay", {
    max: 1,
    step: 0.05,
    value: state.colours.strength,
    format: (value) => `${Math.round(100 * value)} %`,
    oninput: (strength) => update({ colours: { ...state.colours, strength } }),
  });
  return { node: row(outline.node, overlay.node) };
}
