/* The visitor's own numbers in what the guide says. A screen's numbers are those that it has written
   into its lesson; what no lesson has is worked out here from the same scenes and by the same modules. */
import { bus } from "../page/bus.js";
import { numbersOf } from "../page/lesson.js";
import { fetchScene, sceneUrl } from "../page/scenes.js";
import { currentView, prepareScreen } from "../page/screens.js";
import { attend, firstPatch, meanOfHeads } from "../screens/attention/attend.js";
import { percent } from "../ui/format.js";
import { sum } from "../ui/numbers.js";

/** @typedef {import("../types/page").View} View */
/** @typedef {import("../page/lesson.js").LessonNumbers} LessonNumbers */

/** @type {Map<string, LessonNumbers>} group -> what was worked out for the view that is shown */
const own = new Map();

/** What the picture and the model are. @param {View} view @returns {LessonNumbers} */
export function pictureNumbers(view) {
  const [rows, columns] = view.grid,
    patches = rows * columns;
  return {
    width: view.source_size[0],
    height: view.source_size[1],
    inwidth: view.input_size[0],
    inheight: view.input_size[1],
    rows,
    columns,
    patches,
    patch: view.patch_size,
    values: 3 * view.patch_size ** 2,
    tokens: 1 + view.registers + patches,
    registers: view.registers,
    dim: view.dim,
    layers: view.layers,
    last: view.layers - 1,
    heads: view.heads,
    headdim: view.dim / view.heads,
  };
}

/**
 * What the class token of the last layer looks at, in the mean of the heads.
 *
 * @param {View} view
 * @returns {Promise<LessonNumbers>}
 */
async function attentionNumbers({ key, layers }) {
  /** @type {import("../types/scenes").attention.LayerScene} */
  const scene = await fetchScene(sceneUrl(key, `attention/${layers - 1}`));
  const row = meanOfHeads(attend(scene, 0), scene.shapes.keys[0]),
    first = firstPatch(scene);
  return {
    self: percent(row[0]),
    registers: percent(sum(row, 1, first - 1)),
    patches: percent(sum(row, first, row.length - first)),
    even: percent(1 / row.length, 2),
  };
}

/**
 * What training cuts out of the picture, and what it makes of that.
 *
 * @param {View} view
 * @returns {Promise<LessonNumbers>}
 */
async function cropNumbers({ key, seed, patch_size: patch, registers }) {
  /** @type {import("../types/scenes").crops.CropsScene} */
  const { facts } = await fetchScene(sceneUrl(key, "crops", { seed, blur: "as run" }));
  const locals = facts.crops.filter(({ kind }) => kind === "local").length,
    { global_size: wide, local_size: narrow } = facts.config;
  const tokens = (/** @type {number} */ size) => 1 + registers + (size / patch) ** 2;
  return {
    globals: facts.crops.length - locals,
    locals,
    wide,
    narrow,
    widetokens: tokens(wide),
    narrowtokens: tokens(narrow),
  };
}

/** @type {Record<string, (view: View) => LessonNumbers | Promise<LessonNumbers>>} */
const GROUPS = { picture: pictureNumbers, attention: attentionNumbers, cut: cropNumbers };

/** A number as it is known now, or null. @param {string} name "losses.k" */
export function numberNow(name) {
  const [group, key] = name.split("."),
    view = currentView();
  const known = group === "picture" && view ? pictureNumbers(view) : own.get(group),
    value = (known ?? numbersOf(group))[key];
  return value === undefined || value === "…" ? null : String(value);
}

/** Writes what is known into the places below a node. @param {ParentNode} root */
export function fill(root) {
  for (const place of root.querySelectorAll("[data-number]")) {
    const text = numberNow(place.getAttribute("data-number") ?? "");
    if (text !== null && place.textContent !== text) place.textContent = text;
  }
}

/**
 * Has the numbers worked out that the places below a node ask for; they are written in as they come.
 *
 * @param {ParentNode} root
 */
export async function bring(root) {
  const view = currentView();
  if (!view) return;
  const groups = new Set();
  for (const place of root.querySelectorAll("[data-number]"))
    groups.add((place.getAttribute("data-number") ?? "").split(".")[0]);
  fill(root);
  await Promise.all(
    [...groups].map(async (group) => {
      await prepare(group, view);
      fill(root);
    }),
  );
}

/** @param {string} group @param {View} view */
async function prepare(group, view) {
  const make = GROUPS[group];
  if (!make) return prepareScreen(group);
  const numbers = await make(view);
  if (view === currentView()) own.set(group, numbers);
}

/** Places that are kept up to date while they are on the page. @type {Set<ParentNode>} */
const followed = new Set();

/** @param {ParentNode} root @returns {() => void} ends it */
export function follow(root) {
  followed.add(root);
  return () => void followed.delete(root);
}

bus.on("numbers", () => followed.forEach(fill));
bus.on("view", () => {
  own.clear();
  for (const root of followed) void bring(root);
});
