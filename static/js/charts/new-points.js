/* Curves of a run that goes on: what the newest lines of its metrics add to a chart. */

/** @typedef {import("../types/plotly").Trace} Trace */
/** @typedef {Record<string, unknown>} Line of runs/NAME/metrics */

/**
 * The value at "logged.ibot_loss" of a line; null where there is no finite number.
 *
 * @param {unknown} line
 * @param {string} field
 */
export function valueOf(line, field) {
  const value = lookUp(line, field);
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}

/** @param {unknown} line @param {string} field @returns {unknown} */
const lookUp = (line, field) =>
  field
    .split(".")
    .reduce(
      (/** @type {unknown} */ value, name) =>
        value instanceof Object ? Reflect.get(value, name) : undefined,
      line,
    );

/**
 * Every curve gets a point at each line that speaks of any of them, a gap where it does not speak of
 * the curve itself. Null when no line does.
 *
 * A step may be noted twice, once for what it cost and later for what its milestone measured: so each
 * chart goes on from its own last point, and a step is no older than the last one of another chart.
 *
 * @param {readonly Trace[]} traces of one chart, all with the same places
 * @param {readonly Line[]} lines oldest first; what is drawn already is passed over
 */
export function newPoints(traces, lines) {
  const fields = traces.map(({ meta }) => meta?.field ?? ""),
    last = Number(traces[0]?.x.at(-1) ?? -Infinity);
  const fresh = lines.filter(
    (line) => Number(line.step) > last && fields.some((field) => lookUp(line, field) !== undefined),
  );
  if (!fresh.length) return null;
  return {
    x: traces.map(() => fresh.map((line) => Number(line.step))),
    y: traces.map(({ meta }, i) =>
      fresh.map((line) => {
        const value = valueOf(line, fields[i]);
        return value === null ? null : value * (meta?.scale ?? 1);
      }),
    ),
  };
}
