/* What may be chosen of the crops' configuration, by the names that it has in the link. */

/** @typedef {import("../../types/scenes").crops.CropsScene["facts"]["config"]} Config */
/** @typedef {"global_scale" | "local_scale"} RangeField */
/** @typedef {"global_size" | "local_size" | "local_count"} NumberField */

/**
 * @typedef {{ label: string, unit: "share", field: RangeField, end: 0 | 1 }} RangeOption
 *   one end of a range
 */
/** @typedef {{ label: string, unit: "px" | "crops", field: NumberField }} NumberOption */

export const OPTION_NAMES = /** @type {const} */ ([
  "global_low",
  "global_high",
  "local_low",
  "local_high",
  "global_size",
  "local_size",
  "local_count",
]);
/** @typedef {typeof OPTION_NAMES[number]} OptionName */
/** @typedef {Partial<Record<OptionName, number>>} Options what differs from the official choice */

/** @type {Record<OptionName, RangeOption | NumberOption>} */
export const OPTIONS = {
  global_low: { label: "Global area, from", unit: "share", field: "global_scale", end: 0 },
  global_high: { label: "Global area, to", unit: "share", field: "global_scale", end: 1 },
  local_low: { label: "Local area, from", unit: "share", field: "local_scale", end: 0 },
  local_high: { label: "Local area, to", unit: "share", field: "local_scale", end: 1 },
  global_size: { label: "Global side", unit: "px", field: "global_size" },
  local_size: { label: "Local side", unit: "px", field: "local_size" },
  local_count: { label: "Local crops", unit: "crops", field: "local_count" },
};

/** The value of an option in a configuration. @param {OptionName} name @param {Config} config */
export function valueOf(name, config) {
  const option = OPTIONS[name];
  return option.unit === "share" ? config[option.field][option.end] : config[option.field];
}

/**
 * The options with another choice. The ends of a range never cross: the other one goes along.
 *
 * @param {Options} options
 * @param {{ name: OptionName, value: number }} choice
 * @param {Pick<import("../../types/scenes").crops.CropsScene["facts"], "config" | "official">} facts
 * @returns {Options}
 */
export function withChoice(options, { name, value }, facts) {
  const next = withOne(options, { name, value }, facts.official);
  const other = otherEnd(name);
  if (!other) return next;
  const now = next[other] ?? valueOf(other, facts.official),
    crossed = name.endsWith("_low") ? now < value : now > value;
  return crossed ? withOne(next, { name: other, value }, facts.official) : next;
}

/**
 * @param {Options} options
 * @param {{ name: OptionName, value: number }} choice
 * @param {Config} official
 * @returns {Options}
 */
function withOne(options, { name, value }, official) {
  const next = { ...options, [name]: value };
  if (Math.abs(value - valueOf(name, official)) < 1e-9) delete next[name];
  return next;
}

/** The other end of a range; null where there is none. @param {OptionName} name */
function otherEnd(name) {
  const other = name.endsWith("_low")
    ? name.replace("_low", "_high")
    : name.endsWith("_high")
      ? name.replace("_high", "_low")
      : null;
  return OPTION_NAMES.find((one) => one === other) ?? null;
}

/** What the link asks for. @param {(name: string) => string | null} kept @returns {Options} */
export function linkedOptions(kept) {
  /** @type {Options} */
  const options = {};
  for (const name of OPTION_NAMES) {
    const text = kept(name);
    if (text !== null && text !== "" && Number.isFinite(Number(text))) options[name] = Number(text);
  }
  return options;
}
