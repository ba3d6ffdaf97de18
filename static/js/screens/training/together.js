/* Runs together: several in one chart, and in what their recipes differ. */
import { chartPlace, plot } from "../../charts/plot.js";
import { chartForm, onTheme } from "../../charts/theme.js";
import { sentenceOf } from "../../page/errors.js";
import { requestJson } from "../../page/scenes.js";
import { isOpen } from "../../page/screens.js";
import { selection } from "../../page/selection.js";
import { pick, slider, toggle } from "../../ui/controls.js";
import { el } from "../../ui/dom.js";
import { debounce } from "../../ui/frame.js";
import { tableHead, tableRow } from "../../ui/table.js";
import { createTogetherPictures } from "./together-pictures.js";

/** @typedef {import("./state.js").RunCard} RunCard */

/**
 * @typedef {object} Together as app/routes/runs_together.py answers
 * @property {import("../../types/plotly").Charts} charts
 * @property {string} quantity
 * @property {[string, string][]} quantities name and title
 * @property {string[]} titles of the runs
 * @property {{ name: string, values: string[] }[]} differences
 * @property {import("./probe.js").Told[]} runs
 */

const OFFERED = 24, // the newest, which may all be in one chart
  EVERY = 5000; // ms between two looks while one of them goes on
const AXES = /** @type {[string, string][]} */ ([
  ["step", "steps"],
  ["epoch", "epochs"],
  ["pictures", "pictures"],
  ["minutes", "minutes"],
]);
const KINDS = ["pretraining", "distillation"]; // that count in steps
const FEW = "Choose two runs or more: each has a colour, and from the seventh on dashes.";

/**
 * What is compared and how, the chart, and the table below it.
 *
 * @param {(soon?: boolean) => unknown} onchange
 */
function createResult(onchange) {
  let smoothing = 0,
    log = false;
  const place = chartPlace(),
    rows = el("table", { class: "inside-table" });
  const pictures = createTogetherPictures();
  place.dataset.chart = "together";
  const quantity = pick("Compare", [["loss", "Total loss"]], "loss", () => onchange()),
    axis = pick("By", AXES, "step", () => onchange()),
    soft = slider("Smoothing", {
      max: 0.99,
      step: 0.01,
      format: (value) => value.toFixed(2),
      oninput: (value) => {
        smoothing = value;
        onchange(true);
      },
    }),
    logs = toggle("Logarithm", "Heights by their logarithm", false, (pressed) => {
      log = pressed;
      onchange();
    });
  const node = el(
    "div",
    { class: "inside-stack", hidden: true },
    el("div", { class: "inside-controls" }, quantity.node, axis.node, soft.node, logs.node),
    place,
    pictures.node,
    el("h2", { text: "In what they differ" }),
    el("div", { class: "inside-scroll" }, rows),
  );
  return {
    node,
    /** @returns {[string, string][]} */
    query: () => [
      ["quantity", quantity.input.value],
      ["axis", axis.input.value],
      ["smoothing", String(smoothing)],
      ["log", String(log)],
      ["form", chartForm()],
    ],
    /** @param {Together} answer */
    draw(answer) {
      quantity.fill(answer.quantities, answer.quantity);
      drawDifferences(rows, answer);
      pictures.draw(answer.runs);
      return plot(place, answer.charts.together);
    },
  };
}

/**
 * The runs that there are to choose from.
 *
 * @param {Set<string>} chosen
 * @param {() => unknown} onchange
 */
function createOffer(chosen, onchange) {
  const node = el("div", { class: "inside-chips", role: "group", "aria-label": "Runs" });
  /** @type {readonly RunCard[]} */
  let runs = [];
  let drawn = "";

  /** @param {RunCard} run */
  const chip = ({ name, title, state }) =>
    el("button", {
      type: "button",
      "data-run": name,
      "aria-pressed": String(chosen.has(name)),
      title: name,
      text: `${title}, ${state}`,
      onclick: () => {
        if (!chosen.delete(name)) chosen.add(name);
        draw(runs);
        for (const one of node.querySelectorAll("button"))
          if (one.dataset.run === name) one.focus();
        onchange();
      },
    });

  /** How many there are. @param {readonly RunCard[]} now */
  function draw(now) {
    runs = now;
    const fitting = now.filter(({ kind }) => KINDS.includes(kind)).slice(0, OFFERED);
    for (const name of [...chosen])
      if (!fitting.some((one) => one.name === name)) chosen.delete(name);
    const text = JSON.stringify([fitting.map(({ name, state }) => [name, state]), [...chosen]]);
    if (text !== drawn) node.replaceChildren(...fitting.map(chip));
    drawn = text;
    return fitting.length;
  }
  return { node, draw };
}

export function createTogether() {
  /** @type {Set<string>} */
  const chosen = new Set();
  /** @type {readonly RunCard[]} */
  let runs = [];
  const said = el("p", { class: "inside-note", "aria-live": "polite", text: FEW }),
    offer = createOffer(chosen, () => load()),
    result = createResult((soon) => void (soon ? loadSoon() : load()));
  const node = el(
    "details",
    { class: "inside-more inside-together", hidden: true },
    el("summary", { text: "Runs together" }),
    el("div", { class: "inside-stack" }, offer.node, said, result.node),
  );

  async function load() {
    const names = [...chosen];
    result.node.hidden = names.length < 2;
    if (names.length < 2) return void (said.textContent = FEW);
    const asked = names.map((name) => ["run", name]);
    try {
      /** @type {Together} */
      const answer = await requestJson(
        `together?${new URLSearchParams([...asked, ...result.query()])}`,
      );
      if (names.join() !== [...chosen].join()) return; // overtaken
      said.textContent = answer.quantities.length ? "" : "None of them has measured anything yet.";
      await result.draw(answer);
    } catch (error) {
      said.textContent = sentenceOf(error);
    }
  }
  const loadSoon = debounce(load, 150);

  node.addEventListener("toggle", () => {
    if (!node.open) return;
    if (!chosen.size && selection.run) chosen.add(selection.run);
    offer.draw(runs);
    void load();
  });
  setInterval(() => {
    const going = runs.some(({ name, alive }) => alive && chosen.has(name));
    if (node.open && going && isOpen("training")) void load();
  }, EVERY);
  onTheme(() => node.open && load());

  return {
    node,
    /** @param {readonly RunCard[]} now */
    draw(now) {
      runs = now;
      node.hidden = offer.draw(now) < 2;
    },
  };
}

/** @param {HTMLTableElement} rows @param {Together} answer */
function drawDifferences(rows, { titles, differences }) {
  const lines = differences.map(({ name, values }) => tableRow(name, ...values));
  const none = [
    el("tr", {}, el("td", { text: "In nothing: the same recipe on as many pictures." })),
  ];
  rows.replaceChildren(tableHead("", ...titles), el("tbody", {}, ...(lines.length ? lines : none)));
}
