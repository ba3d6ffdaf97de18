/* What the server knows of one gallery. Some answers are still being computed: `ask` then gives
   { waiting: words } at once, and `settle` asks again until they are there. */
import { request, sceneOf } from "../../page/scenes.js";
const AGAIN = 1500; // ms

export function galleryData(name) {
  const known = new Map(); // url -> promise of a scene
  const url = (path, query = {}) => {
    const text = new URLSearchParams(
      Object.entries(query).filter(([, value]) => value !== null && value !== undefined),
    ).toString();
    return `galleries/${name}/${path}${text ? `?${text}` : ""}`;
  };

  async function fetchNow(address) {
    const answer = await request(address);
    if (answer.status === 202) return { waiting: await answer.text() };
    return sceneOf(answer);
  }

  /* A scene, or { waiting }: only what is there is kept. */
  function ask(path, query) {
    const address = url(path, query);
    if (!known.has(address)) {
      const answer = fetchNow(address);
      known.set(address, answer);
      answer.then(
        (scene) => {
          if (scene.waiting !== undefined) known.delete(address);
        },
        () => known.delete(address),
      );
      while (known.size > 60) known.delete(known.keys().next().value);
    }
    return known.get(address);
  }

  /* Asks until it is there. `stillWanted()` false ends it: then null. */
  async function settle(path, query, stillWanted, ontell = () => {}) {
    for (;;) {
      const scene = await ask(path, query);
      if (!stillWanted()) return null;
      if (scene.waiting === undefined) return scene;
      ontell(scene.waiting);
      await new Promise((done) => setTimeout(done, AGAIN));
      if (!stillWanted()) return null;
    }
  }

  return { name, url, ask, settle, forget: (path, query) => known.delete(url(path, query)) };
}
