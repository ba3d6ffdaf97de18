/* The film as a file: all layers, smooth in between, as an animated WebP or GIF. */
import { downloadBlob } from "../../../page/export.js";
import { request } from "../../../page/scenes.js";
import { button, choice } from "../../../ui/controls.js";
import { el } from "../../../ui/dom.js";
import { filmUrl } from "./urls.js";

/** @param {import("../state.js").State} state */
export function createFilm(state) {
  /** @type {{ what: "pca" | "attention", kind: "webp" | "gif" }} */
  const wanted = { what: "pca", kind: "webp" };
  const words = el("span", { class: "inside-note", role: "status" });
  const what = choice(
    "Film of",
    /** @type {const} */ ([
      ["pca", "PCA"],
      ["attention", "Attention"],
    ]),
    wanted.what,
    (next) => Object.assign(wanted, { what: next }),
  );
  const kind = choice(
    "File",
    /** @type {const} */ ([
      ["webp", "WebP"],
      ["gif", "GIF"],
    ]),
    wanted.kind,
    (next) => Object.assign(wanted, { kind: next }),
  );
  const save = button("Save film", write, "All layers as an animated picture");

  async function write() {
    const { loaded } = state.depth;
    if (!loaded) return;
    const { what: view, kind: ending } = wanted;
    save.disabled = true;
    words.textContent = "The film is being made…";
    try {
      const file = await (await request(filmUrl(loaded, view, ending))).blob();
      downloadBlob(`${view}-through-depth.${ending}`, file);
      words.textContent = `${(file.size / 1e6).toFixed(1)} MB`;
    } catch (error) {
      words.textContent = error instanceof Error ? error.message : String(error);
    } finally {
      save.disabled = false;
    }
  }
  return el("div", { class: "inside-controls" }, what.node, kind.node, save, words);
}
