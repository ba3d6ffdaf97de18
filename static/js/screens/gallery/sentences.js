/* What is told about a gallery and its map, in words. */
import { percent, plural } from "../../ui/format.js";
import { METHODS } from "./state.js";

/** @typedef {import("./state.js").Card} Card */

/** A time in words. @param {number} seconds */
export function duration(seconds) {
  if (seconds >= 5400) return `${(seconds / 3600).toFixed(1)} h`;
  if (seconds >= 90) return `${Math.round(seconds / 60)} min`;
  return `${Math.max(Math.round(seconds), 1)} s`;
}

/** @param {(string | null | false | 0)[]} parts those that are empty are left out */
const listed = (parts) => parts.filter(Boolean).join(" · ");

/** @param {Card} card */
const unread = ({ broken_count: count }) =>
  count ? `${plural(count, "file", "files")} could not be read` : "";

/** @param {Card} card */
const notTaken = ({ left_out_count: count }) =>
  count ? `${plural(count, "file was", "files were")} left out` : "";

/** How far a gallery is, or what it holds. @param {Card} card */
export function cardSentence(card) {
  if (!card.seen || ["failed", "stopped"].includes(card.state)) {
    const left = card.alive && card.seconds_left;
    return listed([card.words, left && `${duration(left)} left`, unread(card), notTaken(card)]);
  }
  return listed([
    `${card.pictures - card.broken_count} pictures`,
    card.classes ? `${card.classes} classes` : "without labels",
    `${card.model} at ${card.size} px`,
    unread(card),
    notTaken(card),
    card.alive && card.doing,
  ]);
}

/**
 * What of the upload is not in the gallery, in a heading; "" when all of it is.
 *
 * @param {Card} card
 */
export function omittedTitle(card) {
  const parts = [unread(card), notTaken(card)].filter(Boolean);
  if (parts.length) return parts.join(", ");
  return card.notes.length ? "How the folders were understood" : "";
}

/**
 * The first names on a list, and how many more there are.
 *
 * @param {[name: string, why: string][]} list
 * @param {number} count of all
 */
export function namedFiles(list, count) {
  const lines = list.map(([name, why]) => `${name}: ${why}`);
  return count > list.length ? [...lines, `… and ${count - list.length} more`] : lines;
}

/** What stands where the map will be. @param {Card} card */
export function emptySentence(card) {
  if (card.seen) return `Opening ${card.title} …`;
  if (card.state === "failed") return "There is no map: this gallery could not be made.";
  if (card.alive) return "The map comes as soon as every picture has been seen by the model.";
  return "It was stopped before every picture had been seen: let it go on, or choose another one.";
}

/** How a map was made. @param {import("./data.js").Points} scene */
export function mapSentence({ facts: { method, facts } }) {
  const { parameters = {}, seed, trustworthiness, explained, words, recall } = facts;
  const chosen = Object.entries(parameters).map(([name, value]) => {
    const number = typeof value === "number" ? ` ${Number(value.toPrecision(4))}` : "";
    return `${name.replaceAll("_", " ")}${typeof value === "string" ? ` ${value}` : number}`;
  });
  if (explained)
    chosen.push(`${percent(explained[0])} and ${percent(explained[1])} of the variance`);
  if (typeof seed === "number") chosen.push(`seed ${seed}`);
  if (typeof trustworthiness === "number")
    chosen.push(`trustworthiness ${trustworthiness.toFixed(3)}`);
  const found = recall ? ` ${recall.words}` : "";
  const name = METHODS[/** @type {import("./state.js").Method} */ (method)];
  return `${name}${chosen.length ? `: ${chosen.join(", ")}` : ""}. ${words ?? ""}${found}`;
}
