/* What can be changed of a step, and how many are made. */
import { button, choice, slider } from "../../ui/controls.js";
import { el } from "../../ui/dom.js";
import { short } from "../../ui/format.js";
import { debounce } from "../../ui/frame.js";
import { LAST_RATE, placeOfRate, rateAt } from "./arithmetic.js";
import { PAPER, sceneOf } from "./state.js";

/** @typedef {import("./state.js").State} State */
/** @typedef {import("./state.js").Options} Options */

const TARGETS = /** @type {const} */ ([
  ["centering", "Centring"],
  ["sinkhorn_knopp", "Sinkhorn-Knopp"],
]);
const LOSSES = /** @type {const} */ ([
  ["dino", "Weight of DINO", 2],
  ["ibot", "Weight of iBOT", 2],
  ["koleo", "Weight of KoLeo", 2],
]);
const REST = 350; // ms: a slider is on its way, and a step takes a second
const ROW = 10; // steps in a row

/**
 * @param {object} listeners
 * @param {(change: Partial<Options>) => void} listeners.onchange
 * @param {(count: number) => void} listeners.ongo so many more steps
 * @param {() => void} listeners.oncancel
 */
export function createControls({ onchange, ongo, oncancel }) {
  /** @type {HTMLSelectElement} */
  const pairs = el("select", {
    "aria-label": "Pair of student and teacher",
    onchange: () => onchange({ pair: pairs.value, temperature: null, rate: null }),
  });
  const soon = debounce(onchange, REST),
    trained = { rate: 1e-4, temperature: 0 }; // of the pair: what is asked for by asking for nothing
  const targets = choice("The teacher's targets by", TARGETS, "centering", (value) =>
    onchange({ targets: value }),
  );
  const temperature = slider("Teacher temperature", {
    min: 0.01,
    max: 0.1,
    step: 0.005,
    value: 0.025,
    format: (value) => value.toFixed(3),
    oninput: (value) =>
      soon({ temperature: Math.abs(value - trained.temperature) < 1e-6 ? null : value }),
  });
  const rate = slider("Learning rate", {
    max: LAST_RATE,
    format: (at) => short(at === placeOfRate(trained.rate) ? trained.rate : rateAt(at)),
    oninput: (at) => soon({ rate: at === placeOfRate(trained.rate) ? null : rateAt(at) }),
  });
  const weights = LOSSES.map(([name, label, max]) =>
    slider(label, {
      max,
      step: 0.05,
      value: PAPER[name],
      format: (value) => value.toFixed(2),
      oninput: (value) => soon({ [name]: value }),
    }),
  );
  const go = createGo(ongo, oncancel);
  const field = el("label", { class: "inside-field" }, el("span", { text: "Pair" }), pairs);
  return {
    node: el(
      "div",
      { class: "inside-stack" },
      el(
        "div",
        { class: "inside-controls" },
        field,
        targets.node,
        temperature.node,
        rate.node,
        el(
          "details",
          { class: "inside-more plain" },
          el("summary", { text: "More: the weights of the losses" }),
          el("div", { class: "inside-controls" }, ...weights.map(({ node }) => node)),
        ),
      ),
    ),
    go: go.node,

    /** Which pairs there are. @param {readonly { name: string, title: string }[]} all @param {string} now */
    offer(all, now) {
      pairs.replaceChildren(
        ...all.map(({ name, title }) => el("option", { value: name, text: title })),
      );
      pairs.value = now;
    },

    /** @param {State} state */
    draw(state) {
      go.draw(state);
      const scene = sceneOf(state);
      if (!scene || state.making?.fresh) return; // what was chosen stands, and is on its way
      const { facts } = scene,
        { options } = state;
      if (!pairs.options.length)
        pairs.append(el("option", { value: options.pair, text: facts.title }));
      pairs.value = options.pair;
      targets.set(facts.targets_by === "sinkhorn_knopp" ? "sinkhorn_knopp" : "centering");
      Object.assign(trained, { rate: facts.trained_rate, temperature: facts.trained_temperature });
      temperature.set(facts.values.teacher_temperature);
      rate.set(placeOfRate(facts.values.learning_rate));
      LOSSES.forEach(([name], i) => weights[i].set(options[name]));
    },
  };
}

/**
 * More steps; and while some are made how far they are, and a way out.
 *
 * @param {(count: number) => void} ongo
 * @param {() => void} oncancel
 */
function createGo(ongo, oncancel) {
  const again = button("Step again", () => ongo(1), "One more step from here, on crops of its own"),
    many = button("Ten in a row", () => ongo(ROW)),
    bar = el("progress", { max: 1, "aria-label": "Steps that were made" }),
    words = el("p", { class: "inside-note", role: "status" }),
    progress = el("div", { class: "inside-making" }, bar, words, button("Cancel", oncancel));
  return {
    node: el("div", { class: "inside-go" }, again, many, progress),

    /** @param {State} state */
    draw({ making, row }) {
      for (const one of [again, many]) {
        one.hidden = making !== null;
        one.disabled = !row.length;
      }
      progress.hidden = making === null;
      words.textContent = making ? makingWords(making) : "";
      if (making && making.wanted > 1) bar.value = making.done / making.wanted;
      else bar.removeAttribute("value");
    },
  };
}

/** @param {import("./state.js").Making} making */
const makingWords = ({ done, wanted, first }) =>
  `Step ${first + done} is being made${wanted > 1 ? `, ${done} of ${wanted} done` : ""}`;
