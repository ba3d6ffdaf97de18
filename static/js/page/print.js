/* The figure for print: what is shown as SVG, PDF or PNG at the width of a journal's column or page,
   with its caption and the command that repeats it. */
import { button, choice } from "../ui/controls.js";
import { el } from "../ui/dom.js";
import { request } from "./scenes.js";

/** @typedef {Record<string, string | number | boolean>} Query */

/**
 * A button that opens the choice, and what it opens.
 *
 * @param {(query: Query, what: string) => string} url of what is shown, with what is wanted of it
 * @param {(href: string) => Promise<void>} save hands the file to the visitor
 * @param {readonly (readonly [string, string])[]} [views] where several are shown, which one
 */
export function printing(url, save, views = [["", ""]]) {
  let what = views[0][0];
  const which = choice("View", views, what, (next) => {
    what = next;
  });
  which.node.hidden = views.length < 2;
  /** @type {{ kind: string, width: string }} */
  const wanted = { kind: "svg", width: "column" };
  const caption = el("p", { class: "inside-caption", role: "status", hidden: true });
  const kinds = choice(
    "File",
    /** @type {const} */ ([
      ["svg", "SVG"],
      ["pdf", "PDF"],
      ["png", "PNG, 300 dpi"],
    ]),
    "svg",
    (kind) => Object.assign(wanted, { kind }),
  );
  const widths = choice(
    "Width",
    /** @type {const} */ ([
      ["column", "One column, 89 mm"],
      ["page", "Two columns, 183 mm"],
    ]),
    "column",
    (width) => Object.assign(wanted, { width }),
  );

  async function write() {
    caption.hidden = false;
    try {
      const words = await (await request(url({ ...wanted, caption: true }, what))).text();
      await save(url(wanted, what));
      caption.textContent = words;
    } catch (error) {
      caption.textContent = error instanceof Error ? error.message : String(error);
    }
  }

  const panel = el(
    "div",
    { class: "inside-print", role: "group", "aria-label": "Figure for print", hidden: true },
    which.node,
    kinds.node,
    widths.node,
    button("Save", write, "The figure, and its caption"),
    caption,
  );
  const fold = button("Figure", open, "What is shown, for print");
  fold.setAttribute("aria-expanded", "false");
  function open() {
    panel.hidden = !panel.hidden;
    fold.setAttribute("aria-expanded", String(!panel.hidden));
  }
  return {
    fold,
    panel,
    /** Whether there is a figure of what is shown now. @param {boolean} is */
    enable(is) {
      fold.hidden = !is;
      if (!is && !panel.hidden) open();
    },
    /** Whether there is more than one view. @param {boolean} several */
    offer(several) {
      which.node.hidden = !several;
      if (!several) which.set((what = views[0][0]));
    },
  };
}
