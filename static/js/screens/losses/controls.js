/* What can be set: the heads, how the teacher's targets come about, the two temperatures. */
import { choice, slider } from "../../ui/controls.js";
import { el } from "../../ui/dom.js";
import { debounce } from "../../ui/frame.js";
import { FIRST_PAIR } from "./state.js";

/** @typedef {import("./state.js").Loaded} Loaded */
/** @typedef {import("./state.js").Options} Options */

const TARGETS = /** @type {const} */ ([
  ["centering", "Centring"],
  ["sinkhorn_knopp", "Sinkhorn-Knopp"],
]);
const REST = 60; // ms: a slider is on its way

/** @param {string} targets as the server calls them */
const nameOfTargets = (targets) => TARGETS.find(([name]) => name === targets)?.[1] ?? "";

/**
 * @param {(change: Partial<Options>) => void} onchange
 */
export function createControls(onchange) {
  /** @type {HTMLSelectElement} */
  const pairs = el("select", {
    "aria-label": "Heads",
    onchange: () =>
      onchange({ pair: pairs.value, targets: null, temperature: null, studentTemperature: null }),
  });
  const targets = choice("The teacher's targets by", TARGETS, "centering", (value) =>
    onchange({ targets: value }),
  );
  const soon = debounce(onchange, REST);
  const format = (/** @type {number} */ value) => value.toFixed(3);
  const temperature = slider("Teacher temperature", {
    min: 0.01,
    max: 0.1,
    step: 0.005,
    value: 0.04,
    format,
    oninput: (value) => soon({ temperature: value }),
  });
  const studentTemperature = slider("Student temperature", {
    min: 0.05,
    max: 0.3,
    step: 0.01,
    value: 0.1,
    format,
    oninput: (value) => soon({ studentTemperature: value }),
  });
  const note = el("p", { class: "inside-note" });
  const field = el("label", { class: "inside-field" }, el("span", { text: "Heads" }), pairs);
  return {
    node: el(
      "div",
      { class: "inside-stack" },
      el("div", { class: "inside-controls" }, field, targets.node, temperature.node),
      note,
    ),
    more: el(
      "details",
      { class: "inside-more" },
      el("summary", { text: "More: the student's temperature" }),
      studentTemperature.node,
    ),

    /** Which heads there are. @param {readonly { name: string, title: string }[]} all @param {string} now */
    offer(all, now) {
      pairs.replaceChildren(...all.map(({ name, title }) => option(name, title)));
      pairs.value = now;
    },

    /** @param {Loaded} state */
    draw(state) {
      const { facts } = state.scene,
        { pair } = state.options;
      targets.set(/** @type {"centering"} */ (facts.targets_by));
      temperature.set(facts.temperature);
      studentTemperature.set(facts.student_temperature);
      if (!pairs.options.length) pairs.append(option(pair, facts.title));
      pairs.value = pair;
      note.textContent = aboutHeads(state);
    },
  };
}

/** @param {string} value @param {string} text */
const option = (value, text) => el("option", { value, text });

/** Where the heads come from, and how they were trained. @param {Loaded} state */
function aboutHeads({ scene, options, view }) {
  const { recipe, own_crops: own, prototypes, title } = scene.facts;
  return (
    `${title}: ${prototypes[0]} prototypes for class tokens, ${prototypes[1]} for patches ` +
    "(officially 65 536 or 131 072)." +
    `${origin(options.pair, view.model)} ${trained(options.pair, recipe)} ` +
    (own
      ? "The crops are of the sizes that it was trained on."
      : "The crops and the mask are those that the first two screens begin with.")
  );
}

/** @param {string} pair @param {Loaded["scene"]["facts"]["recipe"]} recipe */
const trained = (pair, { targets, temperature }) =>
  pair.startsWith("checkpoint-")
    ? "How it was trained is not in the file: targets, temperature and sizes are the official ones."
    : `Trained with ${nameOfTargets(targets)} and a teacher temperature of ${temperature}.`;

/** @param {string} pair @param {string} model that is open on the page */
function origin(pair, model) {
  if (pair !== FIRST_PAIR) return "";
  return model === "preview_vits14"
    ? " Official heads were never published; these were trained for the preview backbone."
    : " Official heads were never published, so these stand in for those of the model on the left.";
}
