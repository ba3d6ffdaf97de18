/* What the screen shows, as tests and curious people may read it. */

const NONE = {
  name: null,
  state: null,
  step: 0,
  steps: 0,
  mine: false,
  verdict: null,
  moments: [],
};

/**
 * @param {import("./state.js").State} state
 * @param {object} form what is filled in
 * @param {{ best: object | null }} layers of the weights it began with
 */
export function exposed({ run, runs, lines, report, cell, moment }, form, layers) {
  const { name, state, step, steps, mine, verdict, moments } = run ?? NONE;
  return {
    run: name,
    state,
    step,
    steps,
    mine,
    verdict,
    moments,
    moment,
    lines: lines.length,
    newest: lines.at(-1),
    accuracy: report?.accuracy ?? null,
    confusion: report?.confusion ?? null,
    cell,
    runs: runs.map((one) => [one.name, one.state, one.place]),
    form,
    get bestLayer() {
      return layers.best;
    },
  };
}
