/* The strip: every step of the data's way as a small picture; the page's table of contents. */
import { bus } from "../../page/bus.js";
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

/**
 * @param {HTMLElement} root
 * @param {import("../../page/screens.js").Page} page
 */
export function create(root, page) {
  const tabs = settings.screens.map(([name, title]) => thumbnail(name, title));
  root.classList.add("inside-strip");
  root.setAttribute("role", "tablist");
  root.setAttribute("aria-label", "Screens, in the order of the data's way");
  root.append(...tabs.map(({ tab }) => tab));

  root.addEventListener("keydown", (event) => {
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
      if (here) root.scrollTo({ left: tab.offsetLeft - root.offsetLeft - 60 }); // where the strip scrolls
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
