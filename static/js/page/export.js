/* What a visitor can keep of a view: the picture, the numbers, the link, the code. */
import { button } from "../ui/controls.js";
import { el } from "../ui/dom.js";
import { connection } from "./connection.js";
import { NotShownYet } from "./errors.js";
import { writeLink } from "./link.js";
import { printing } from "./print.js";

/**
 * @typedef {object} Exports what a screen has to offer; what is missing has no button
 * @property {() => HTMLCanvasElement | Promise<HTMLCanvasElement>} [png] what is drawn
 * @property {() => string} [npz] where the numbers are
 * @property {() => string | Promise<string>} [csv] the numbers as a table
 * @property {(query: import("./print.js").Query, what: string) => string} [figure] where it is as a
 *   figure for print
 * @property {readonly (readonly [string, string])[]} [figures] which views have one, where several do
 * @property {() => string} [python] the lines that compute the same
 */

/** @param {string} name @param {string} href */
function download(name, href) {
  const link = el("a", { href, download: name });
  document.body.append(link);
  link.click();
  link.remove();
}

/**
 * Hands a file to the visitor.
 *
 * @param {string} name
 * @param {Blob} blob
 */
export function downloadBlob(name, blob) {
  const href = URL.createObjectURL(blob);
  download(name, href);
  setTimeout(() => URL.revokeObjectURL(href), 10000);
}

/**
 * When the view of a row has been drawn whole: then its picture and its numbers are of one state.
 *
 * @param {Element} row
 */
async function drawn(row) {
  const view = row.closest(".inside-view");
  if (view?.hasAttribute("data-drawing"))
    await new Promise((resolve) => view.addEventListener("drawn", resolve, { once: true }));
}

/**
 * The lines of Python; before anything is shown, a comment that says so.
 *
 * @param {() => string} python
 */
function linesOf(python) {
  try {
    return python();
  } catch (error) {
    if (!(error instanceof NotShownYet)) throw error;
    return `# ${error.message}`;
  }
}

/** A button that copies the link, and says that it has. */
function linkButton() {
  const node = button("Link", copy, "Copies a link to this state");
  async function copy() {
    writeLink();
    try {
      await navigator.clipboard.writeText(location.href);
      node.textContent = "Copied";
    } catch {
      node.textContent = "In the address bar"; // this browser lets nobody write to the clipboard
    }
    setTimeout(() => {
      node.textContent = "Link";
    }, 1600);
  }
  return node;
}

/**
 * A row of buttons under a view. `refresh()` after every change keeps open code right.
 *
 * @param {string} screen names the files
 * @param {Exports} exports
 */
export function exportBar(screen, { png, npz, csv, figure, figures, python }) {
  const code = el("pre", {
    class: "inside-code",
    hidden: true,
    tabindex: "0",
    "aria-label": "The same in Python",
  });
  const row = el("div", { class: "inside-take", role: "group", "aria-label": "Take it along" });
  const problem = el("span", { class: "inside-note", role: "status" });
  /** @param {string} label @param {() => unknown} save @param {string} title */
  const offer = (label, save, title) => row.append(button(label, () => attempt(save), title));
  /** @param {() => unknown} save */
  async function attempt(save) {
    problem.textContent = "";
    await drawn(row);
    try {
      await save();
    } catch (error) {
      if (!(error instanceof NotShownYet)) throw error;
      problem.textContent = error.message;
    }
  }
  if (png) {
    const save = async () =>
      (await png()).toBlob((blob) => blob && downloadBlob(`${screen}.png`, blob));
    offer("PNG", save, "What is drawn, as a picture");
  }
  if (npz) {
    const save = async () => {
      await connection.sure();
      download(`${screen}.npz`, npz());
    };
    offer("NPZ", save, "The numbers, for numpy.load");
  }
  if (csv) {
    const save = async () =>
      downloadBlob(`${screen}.csv`, new Blob([await csv()], { type: "text/csv" }));
    offer("CSV", save, "The numbers, as a table");
  }
  const print = figure && printing(figure, saveFigure, figures);
  if (print) row.append(print.fold);
  /** @param {string} href named by the server */
  async function saveFigure(href) {
    await connection.sure();
    download("", href);
  }
  row.append(linkButton());
  const refresh = () => {
    if (python && !code.hidden) code.textContent = linesOf(python);
  };
  if (python) {
    const fold = button(
      "Python",
      () => {
        code.hidden = !code.hidden;
        fold.setAttribute("aria-expanded", String(!code.hidden));
        refresh();
      },
      "The lines that compute the same",
    );
    row.append(fold);
  }
  row.append(problem);
  return {
    node: el("div", {}, row, ...(print ? [print.panel] : []), code),
    refresh,
    print,
  };
}
