/* A server that was started anew has forgotten the pictures that this page shows. The page remembers
   how each was opened, with the file where it was the visitor's own, and has it opened again under
   the key that it had: then every address on the page is right again, and nothing is drawn anew. */
import { settings } from "../settings.js";
import { button } from "../ui/controls.js";
import { bus } from "./bus.js";
import { NetworkError, ServerError } from "./errors.js";
import { formatLink, parseLink } from "./link.js";
import { showNotice } from "./notice.js";

/** @typedef {import("../types/page").View} View */

/**
 * @typedef {object} Recipe how a picture was opened
 * @property {string} model
 * @property {number} size px
 * @property {string} [sample]
 * @property {string} [gallery]
 * @property {string} [index] of the picture in the gallery
 * @property {string} [upload] what the server calls the file
 * @property {boolean} [comparison] it is the second picture beside another
 * @property {File | null} [file] the visitor's own
 */

/** @typedef {import("../settings.js").Identity} Identity */

const FILES = 4; // of the visitor's own that are kept here
const RECIPES = 12;
const OTHER = "The server is back with another version: what is shown is from the one before.";
const LOST = "The server is back, but your picture is no longer there: open it again to go on.";

/** @type {Map<string, Recipe>} by the picture's key, the oldest first */
const recipes = new Map();
/** @type {Map<string, File>} by what the server calls it, the oldest first */
const files = new Map();
/** @type {View | null} */
let shown = null;
/** @type {Identity} */
let known = settings.identity;

/**
 * Adds to a map, and lets go of what was added first.
 *
 * @template Value
 * @param {Map<string, Value>} map
 * @param {number} most
 * @param {[string, Value]} entry
 */
function keepNewest(map, most, [name, value]) {
  map.delete(name);
  map.set(name, value);
  for (const oldest of map.keys()) {
    if (map.size <= most) break;
    map.delete(oldest);
  }
}

/** A picture was sent to the server, which put it there. @param {string} path @param {File} file */
export function keepFile(path, file) {
  const name = path.split(/[\\/]/).at(-2) ?? path;
  keepNewest(files, FILES, [name, file]);
  void import("./own-files.js").then(({ keepOwn }) => keepOwn(name, file));
}

/** How a picture was opened. @param {string} key @param {Recipe} recipe */
export const remember = (key, recipe) => keepNewest(recipes, RECIPES, [key, recipe]);

/**
 * How the second picture beside another was opened.
 *
 * @param {{ key: string, model: string, short_side: number }} opened
 * @param {Partial<Recipe>} origin
 */
export const rememberSecond = ({ key, model, short_side: size }, origin) =>
  remember(key, { ...origin, model, size, comparison: true });

/** @param {string} key @returns {Recipe | undefined} */
export const recipeOf = (key) => recipes.get(key);

/**
 * How the picture of the page was opened, as its view says it.
 *
 * @param {Pick<View, "model" | "size" | "sample" | "origin">} view
 * @returns {Recipe}
 */
export function recipeOfView({ model, size, sample, origin = "" }) {
  const [kind, name = "", index = ""] = origin.split("/");
  if (kind === "gallery") return { model, size, gallery: name, index };
  if (kind === "upload") return { model, size, upload: name, file: files.get(name) ?? null };
  return { model, size, sample };
}

bus.on("view", (view) => {
  shown = view;
  if (!recipes.get(view.key)?.file) remember(view.key, recipeOfView(view));
  void noteOwn(view.key);
  showNotice("", { topic: "picture" });
});

/**
 * This browser notes how a picture of the visitor's own was opened; and a page that was loaded anew
 * has its file no more, where this browser may.
 *
 * @param {string} key
 */
async function noteOwn(key) {
  const recipe = recipes.get(key);
  if (!recipe?.upload) return;
  const { upload, model, size } = recipe;
  const { findOwn, noteOpened } = await import("./own-files.js");
  const file = recipe.file ? null : await findOwn(upload);
  if (file && recipes.get(key) === recipe) {
    keepNewest(files, FILES, [upload, file]);
    remember(key, { ...recipe, file });
  }
  await noteOpened(upload, { key, model, size });
}

/** How a picture was opened: by this page, or by one before it. @param {string} key */
async function recipeFor(key) {
  const ours = recipes.get(key);
  if (ours) return ours;
  const { findOpened } = await import("./own-files.js");
  const found = await findOpened(key);
  if (found) remember(key, found);
  return found;
}

// ---------- asking, beside everything that waits for the server

/** @param {string} url @param {RequestInit} [options] */
async function askNow(url, options) {
  const response = await fetch(url, { cache: "no-store", ...options }).catch((error) => {
    throw new NetworkError(error);
  });
  if ([502, 503, 504].includes(response.status)) throw new NetworkError(); // a proxy's answer
  return response;
}

/**
 * Who the server is. NetworkError where it does not say.
 * @param {AbortSignal} signal
 * @returns {Promise<Identity>}
 */
export async function ask(signal) {
  const response = await askNow("identity", { signal, priority: "high" });
  return response.json().catch((error) => {
    throw new NetworkError(error);
  });
}

/**
 * Asks for a picture to be opened under a key. ServerError where it cannot be.
 *
 * @param {string} key
 * @param {Recipe} recipe
 */
async function open(key, { file, comparison, ...rest }) {
  const query = Object.entries({ ...rest, ...(comparison ? { comparison } : {}) })
    .filter(([, value]) => value !== undefined && value !== "")
    .map(([name, value]) => [name, String(value)]);
  const url = `view/${key}/again?${new URLSearchParams(query)}`;
  const response = await askNow(url, { method: "POST", body: file ?? null });
  if (!response.ok) throw new ServerError(await response.text(), response.status);
}

/** @type {Map<string, Promise<"kept" | "opened" | "lost">>} what is being asked for */
const asking = new Map();

/**
 * Has a picture opened again where the server does not know it: "lost" where this page cannot either.
 * ServerError where the server refuses it.
 *
 * @param {string} key
 */
export function reopen(key) {
  const work = async () => {
    if (key === settings.first?.key || (await askNow(`view/${key}/view.json`)).ok) return "kept";
    const recipe = await recipeFor(key);
    if (!recipe || (recipe.upload && !recipe.file)) return "lost";
    await open(key, recipe);
    return "opened";
  };
  const answer = asking.get(key) ?? work().finally(() => asking.delete(key));
  asking.set(key, answer);
  return answer;
}

/** The picture of a link, before Python is asked for it: the server may have been started anew. */
export async function reopenLinked() {
  const { picture } = parseLink(location.hash).state;
  if (!picture || !(await recipeFor(picture))) return; // Python will say that it is not there
  await reopen(picture).catch(() => null);
}

/** @param {unknown} error */
function refused(error) {
  if (error instanceof NetworkError) throw error;
  return "lost";
}

/** Has the pictures of an address opened again; whether there were any. @param {string} url */
export async function reopenFor(url) {
  const found = /(?:^|\/)view\/([^/?]+)\//.exec(url)?.[1],
    second = new URLSearchParams(url.split("?")[1]).get("second");
  let opened = false;
  for (const key of [found, second])
    if (key) opened = (await reopen(key).catch(refused)) === "opened" || opened;
  return opened;
}

// ---------- the server has answered

/**
 * Whether a page goes on with a server: the page's own code, and the weights of the model shown.
 *
 * @param {Identity} before
 * @param {Identity} now
 * @param {string} [model]
 */
export function isSame(before, now, model = "") {
  const weights = before.models[model];
  return before.page === now.page && (!weights || weights === now.models[model]);
}

/**
 * What was open is opened again. False: the page cannot go on with this server.
 * @param {Identity} identity
 */
export async function recover(identity) {
  if (!isSame(known, identity, shown?.model)) {
    const action = button("Reload the page", () => void reload());
    showNotice(OTHER, { topic: "page", action });
    return false;
  }
  if (shown) {
    const problem = await reopen(shown.key).then(
      (how) => (how === "lost" ? LOST : ""),
      (error) => {
        if (!(error instanceof ServerError)) throw error;
        if (shown?.model_title) bus.emit("gone", shown.model); // a visitor's checkpoint
        return error.message;
      },
    );
    showNotice(problem, { topic: "picture" });
  }
  known = { ...identity, models: { ...known.models, ...identity.models } };
  mendPictures();
  return true;
}

/** The process that answered last. */
export const currentServer = () => known.server;

/** Pictures that the browser could not have meanwhile. */
function mendPictures() {
  for (const image of globalThis.document?.images ?? [])
    if (image.complete && !image.naturalWidth && image.getAttribute("src")) {
      const { src } = image;
      image.removeAttribute("src");
      image.src = src;
    }
}

/** Loads the page anew, and takes the visitor's own picture there, under a key without a past. */
async function reload() {
  const recipe = shown && recipes.get(shown.key);
  if (recipe && !recipe.sample) {
    const bytes = crypto.getRandomValues(new Uint8Array(24));
    const key = btoa(String.fromCharCode(...bytes))
      .replace(/\+/g, "-")
      .replace(/\//g, "_");
    const opened = await open(key, recipe).then(
      () => true,
      () => false, // the new page will say that it is not there
    );
    if (opened) {
      const { state, extras } = parseLink(location.hash);
      history.replaceState(null, "", formatLink({ ...state, picture: key }, extras));
    }
  }
  location.reload();
}
