/* The visitor's own pictures, kept in this browser for an hour after they were sent: a page that was
   loaded anew can still have one opened again when the server has forgotten it. Where a browser keeps
   nothing (a private window), nothing is found. */

const NAME = "inside-own-files",
  STORE = "files",
  KEPT = 60 * 60 * 1000, // ms, as long as the server keeps a picture
  MOST = 4;

/** @typedef {{ key: string, model: string, size: number }} Opened under which key, and how */
/** @typedef {{ file: File, at: number, opened?: Opened[] }} Kept `at`: ms since 1970 */

/** @template Result @param {IDBRequest<Result>} request @returns {Promise<Result>} */
const answer = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

/** @returns {Promise<IDBObjectStore>} */
async function openStore() {
  const request = indexedDB.open(NAME, 1);
  request.onupgradeneeded = () => request.result.createObjectStore(STORE);
  return (await answer(request)).transaction(STORE, "readwrite").objectStore(STORE);
}

/**
 * Which are let go of: what is too old, and the oldest beyond a few.
 *
 * @param {[string, number][]} times of each name, in ms since 1970
 * @param {number} now
 */
export function outdated(times, now) {
  const newestFirst = [...times].sort(([, one], [, other]) => other - one);
  return newestFirst
    .filter(([, at], place) => place >= MOST || now - at > KEPT)
    .map(([name]) => name);
}

/** Keeps a file under what the server calls it. @param {string} name @param {File} file */
export async function keepOwn(name, file) {
  try {
    const store = await openStore();
    await answer(store.put({ file, at: Date.now() }, name));
    const [names, kept] = await Promise.all([answer(store.getAllKeys()), answer(store.getAll())]);
    const times = names.map((one, i) => [String(one), kept[i].at]);
    for (const one of outdated(/** @type {[string, number][]} */ (times), Date.now()))
      store.delete(one);
  } catch {
    // the page goes on without: it has the file itself until it is loaded anew
  }
}

/** Notes how a file that is kept was opened. @param {string} name @param {Opened} how */
export async function noteOpened(name, how) {
  try {
    const store = await openStore();
    /** @type {Kept | undefined} */
    const found = await answer(store.get(name));
    if (!found) return;
    const before = (found.opened ?? []).filter(({ key }) => key !== how.key);
    await answer(store.put({ ...found, opened: [how, ...before].slice(0, MOST) }, name));
  } catch {
    // as above
  }
}

/**
 * What was opened under a key, of the files that are kept.
 *
 * @param {string} key
 */
export async function findOpened(key) {
  try {
    const store = await openStore();
    const [names, kept] = await Promise.all([answer(store.getAllKeys()), answer(store.getAll())]);
    for (const [i, { file, at, opened = [] }] of /** @type {Kept[]} */ (kept).entries()) {
      const how = opened.find((one) => one.key === key);
      if (how && Date.now() - at <= KEPT)
        return { upload: String(names[i]), file, model: how.model, size: how.size };
    }
  } catch {
    // a browser that keeps nothing
  }
  return null;
}

/** @param {string} name @returns {Promise<File | null>} */
export async function findOwn(name) {
  try {
    /** @type {Kept | undefined} */
    const found = await answer((await openStore()).get(name));
    return found && Date.now() - found.at <= KEPT ? found.file : null;
  } catch {
    return null;
  }
}
