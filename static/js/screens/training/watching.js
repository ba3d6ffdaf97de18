/* What is new about the runs. A run is a process of its own on the server; this page only asks about
   it once a second, and only while it is looked at. */
import { sentenceOf } from "../../page/errors.js";
import { keep } from "../../page/link.js";
import { requestJson } from "../../page/scenes.js";
import { isOpen } from "../../page/screens.js";
import { select, selection } from "../../page/selection.js";
import { NO_RUN } from "./state.js";

/** @typedef {import("./state.js").State} State */
/** @typedef {import("../../types/runs").Runs} Runs */
/** @typedef {import("../../types/runs").RunAction} RunAction */

const EVERY = 1000, // ms between two questions about a run that is alive
  IDLE = 5000; // and otherwise: somebody may have resumed one
const LIST_AGAIN = 0.2; // of the questions about a run also ask for the list

/**
 * @param {State} state
 * @param {(change: Partial<State>) => void} update
 * @param {(runs: Runs) => void} offer what a new run can be made from
 */
export function createWatching(state, update, offer) {
  const metrics = createMetrics(state, update);
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  let looked = false; // whether the list has been seen once

  /** @param {string | null} name */
  function choose(name) {
    select({ run: name });
    keep("run", name);
  }

  /** Opens a run; null: none. @param {string | null} name */
  function open(name) {
    if (state.run?.name !== name) update({ ...NO_RUN, lines: [], problem: "" });
    else update({ problem: "" });
    metrics.forget(state.run === null);
    choose(name);
    return refresh();
  }

  /** The list, and then the open run, until nothing of it is alive any more. */
  async function refresh() {
    const answer = await fetchRuns();
    offer(answer);
    if (!selection.run && !looked) {
      // a visitor who comes back finds the run that goes on, or the last one
      const own = answer.runs.filter(({ mine }) => mine);
      const last = own.find(({ alive }) => alive) ?? own[0];
      if (last) choose(last.name);
    }
    looked = true;
    update({ runs: answer.runs });
    if (selection.run && !answer.runs.some(({ name }) => name === selection.run)) {
      choose(null);
      update({ ...NO_RUN, lines: [], problem: "That run is no longer on this server." });
    }
    if (selection.run) await metrics.ask();
    else update({ ...NO_RUN, lines: [] });
    again();
  }

  /** One question a second while a run is alive, a few a minute otherwise, while somebody looks. */
  function again() {
    clearTimeout(timer);
    const alive = state.run?.alive || state.runs.some((one) => one.alive);
    timer = setTimeout(
      async () => {
        if (!isOpen("training")) return;
        await follow().catch((error) => update({ problem: sentenceOf(error) }));
        again();
      },
      alive ? EVERY : IDLE,
    );
  }

  async function follow() {
    const before = state.run?.state;
    if (state.run?.alive) await metrics.ask();
    const { run } = state;
    if (run?.alive && run.state === before && !run.place && Math.random() > LIST_AGAIN) return;
    const { runs } = await fetchRuns();
    update({ runs });
    const now = runs.find(({ name }) => name === state.run?.name);
    if (now && now.state !== state.run?.state) await metrics.ask(); // resumed, by its owner or another page
  }

  /** Asks something of the open run. True where it may take a while. @param {RunAction} action */
  async function steer(action) {
    const { run } = state;
    if (!run) return false;
    const answer = await postAction(run.name, action);
    if (answer.gone) {
      choose(null);
      update({ ...NO_RUN, lines: [], runs: state.runs.filter(({ name }) => name !== run.name) });
    }
    await refresh();
    return !answer.gone && state.run?.state === run.state;
  }

  return { open, refresh, again, steer };
}

/**
 * The lines and the card of the open run. Overlapping questions are not asked.
 *
 * @param {State} state
 * @param {(change: Partial<State>) => void} update
 */
function createMetrics(state, update) {
  let next = 0,
    mark = "",
    asking = false,
    opened = 0; // counts the runs that were opened

  async function ask() {
    if (asking) return;
    asking = true;
    try {
      while (!(await askFor(opened)));
    } finally {
      asking = false;
    }
  }

  /** All that is new. False when another run was opened meanwhile. @param {number} run its number */
  async function askFor(run) {
    const name = selection.run;
    if (!name) return true;
    /** @type {import("../../types/runs").Metrics} */
    let answer;
    let { lines } = state.run?.name === name ? state : { lines: [] },
      [from, file] = [next, mark];
    do {
      answer = await requestJson(`runs/${name}/metrics?from=${from}&mark=${file}`);
      if (run !== opened) return false;
      lines = answer.anew ? answer.lines : [...lines, ...answer.lines];
      [from, file] = [answer.next, answer.mark];
    } while (answer.more);
    [next, mark] = [from, file]; // whatever fails on the way is asked for again
    const card = answer.run;
    const runs = state.runs.map((one) => (one.name === card.name ? { ...one, ...card } : one));
    update({ run: card, lines, runs, problem: "" });
    return true;
  }

  return {
    ask,
    /** Another run is opened; what has been read of it before stays. @param {boolean} anew */
    forget(anew) {
      opened += 1;
      if (anew) [next, mark] = [0, ""];
    },
  };
}

/** @returns {Promise<Runs>} */
const fetchRuns = () => requestJson("runs");

/**
 * @param {string} name
 * @param {RunAction} action
 * @returns {Promise<{ gone?: boolean }>}
 */
const postAction = (name, action) =>
  requestJson(`runs/${name}/steer?action=${action}`, { method: "POST" });
