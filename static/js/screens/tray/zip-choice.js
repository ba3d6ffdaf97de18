/* Which pictures of a zip come into the tray. */
import { button } from "../../ui/controls.js";
import { el } from "../../ui/dom.js";
import { plural } from "../../ui/format.js";
import { picturesIn, unpacked } from "../../ui/unzip.js";

/** @typedef {import("../../ui/unzip.js").ZipEntry} ZipEntry */

const LISTED = 400; // names

/** @param {(files: File[]) => unknown} onfiles what was chosen, unpacked */
export function createZipChoice(onfiles) {
  const title = el("p", { class: "inside-note" }),
    list = el("div", { class: "inside-tray-names", role: "group", "aria-label": "Files" });
  /** @type {{ zip: File, entries: ZipEntry[], room: number } | null} */
  let open = null;
  const take = button("Add these", () => void add());
  const node = el(
    "div",
    { class: "inside-stack inside-tray-zip", role: "group", hidden: true },
    title,
    list,
    el("div", { class: "inside-controls" }, take, button("Not now", close)),
  );

  function close() {
    open = null;
    node.hidden = true;
  }

  const chosen = () =>
    [...list.querySelectorAll("input")].flatMap((box, at) => (box.checked ? [at] : []));

  /** As many may be ticked as there is room for. */
  function count() {
    if (!open) return;
    const many = chosen().length;
    take.disabled = many === 0 || many > open.room;
    title.textContent =
      `${open.zip.name}: ${plural(open.entries.length, "picture", "pictures")}. ` +
      `${many} chosen, ${open.room} have room.`;
  }

  async function add() {
    if (!open) return;
    const { zip, entries } = open,
      wanted = chosen().map((at) => entries[at]);
    close();
    onfiles(await Promise.all(wanted.map((entry) => unpacked(zip, entry))));
  }

  return {
    node,
    /**
     * Asks about a zip; the first pictures are ticked already. ZipError for what is none.
     *
     * @param {File} zip
     * @param {number} room rows that are free
     */
    async ask(zip, room) {
      const entries = (await picturesIn(zip)).slice(0, LISTED);
      open = { zip, entries, room };
      node.setAttribute("aria-label", `Pictures of ${zip.name}`);
      list.replaceChildren(
        ...entries.map(({ name }, at) =>
          el(
            "label",
            { class: "inside-tick" },
            el("input", { type: "checkbox", checked: at < room, onchange: count }),
            el("span", { text: name }),
          ),
        ),
      );
      node.hidden = false;
      count();
    },
  };
}
