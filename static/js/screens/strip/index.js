/* The strip: every step of the data's way as a small picture; the page's table of contents. Below it
   are the ways into the guide, which is fetched when somebody takes one. */
import { bus } from "../../page/bus.js";
import { connection } from "../../page/connection.js";
import { fetchScene, sceneUrl } from "../../page/scenes.js";
import { currentScreen, openScreen } from "../../page/screens.js";
import { settings } from "../../settings.js";
import { el } from "../../ui/dom.js";
import { SKETCHES } from "./sketches.js";

/** @param {string} name @param {string} title */
function thumbnail(name, title) {
  const image = el("img", { alt: "", draggable: "false" }),
    canvas = el("canvas");
  const tab = el(
    "button",
    {
      type: "button",
      role: "tab",
      id: `tab-${name}`,
      "data-screen": name,
      "aria-controls": `screen-${name}`,
      onclick: () => openScreen(name),
    },
    el("span", { class: "inside-thumb" }, image, canvas),
    el("span", { text: title }),
  );
  return { name, tab, image, canvas };
}

/** @typedef {typeof import("../../guide/index.js")} Guide */

/** The ways into the guide. @param {import("../../page/screens.js").Page} page */
function guideRow(page) {
  const way = (
    /** @type {string} */ id,
    /** @type {string} */ text,
    /** @type {(guide: Guide) => unknown} */ enter,
  ) =>
    el("button", {
      type: "button",
      id,
      text,
      onclick: () =>
        page.run(async () =>
          enter(await connection.patiently(() => import("../../guide/index.js"))),
        ),
    });
  return el(
    "div",
    { class: "inside-guide-row", role: "group", "aria-label": "Guide" },
    way("inside-to-path", "Take the path", (guide) => guide.togglePath()),
    way("inside-to-drawing", "Drawing of the model", (guide) => guide.openDrawing()),
    way("inside-to-glossary", "Glossary", (guide) => guide.openGlossary()),
  );
}

/**
 * @param {HTMLElement} root
 * @param {import("../../page/screens.js").Page} page
 */
export function create(root, page) {
  const tabs = settings.screens.map(([name, title]) => thumbnail(name, title));
  const list = el(
    "div",
    {
      class: "inside-tabs",
      role: "tablist",
      "aria-label": "Screens, in the order of the data's way",
    },
    ...tabs.map(({ tab }) => tab),
  );
  root.classList.add("inside-strip");
  root.append(list, guideRow(page));

  list.addEventListener("keydown", (event) => {
    const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0,
      at = tabs.findIndex(({ tab }) => tab === document.activeElement);
    if (!step || at < 0) return;
    const next = tabs[(at + step + tabs.length) % tabs.length];
    next.tab.focus();
    openScreen(next.name);
    event.preventDefault();
  });

  /** @param {string | null} open */
  function mark(open) {
    for (const { name, tab } of tabs) {
      const here = name === open;
      tab.setAttribute("aria-selected", String(here));
      tab.tabIndex = here ? 0 : -1;
      if (here) list.scrollTo({ left: tab.offsetLeft - list.offsetLeft - 60 }); // where the strip scrolls
    }
  }
  mark(currentScreen());
  bus.on("screen", ({ name }) => mark(name));

  return {
    /** @param {import("../../types/page").View} view */
    async show({ key, seed }) {
      /** @type {import("../../types/scenes").strip.StripScene} */
      const scene = await fetchScene(sceneUrl(key, "strip", { seed }));
      for (const { name, image, canvas } of tabs) {
        image.src = sceneUrl(key, "thumb.jpg");
        SKETCHES[name]?.(canvas, scene);
      }
      page.expose({ key, seed });
    },
  };
}
