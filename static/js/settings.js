/* What Python and the page share, written into the document by app/first_visit/document.py: colour
   maps, the presets of the PCA, the screens in their order, and what a newcomer sees. */

/** @typedef {[number, number, number]} Rgb bytes */

/**
 * @typedef {object} Settings
 * @property {Record<string, Rgb[]>} colours 256 colours a map
 * @property {[string, string][]} presets [name, title]
 * @property {[string, string][]} screens [name, title], in the order of the data's way
 * @property {import("./types/page").View | null} first the view that greets, null where none is stored
 * @property {Identity} identity of the server that this page came from
 */

/**
 * @typedef {object} Identity who a server is; the digests change with what they stand for
 * @property {string} server the process
 * @property {string} page its code, and the stored answers of the first visit
 * @property {Record<string, string>} models the weights of each model that is there
 */

const place = globalThis.document?.getElementById("inside-settings");

/** @type {Settings} */
export const settings = place
  ? JSON.parse(place.textContent ?? "")
  : {
      colours: {},
      presets: [],
      screens: [],
      first: null,
      identity: { server: "", page: "", models: {} },
    };
