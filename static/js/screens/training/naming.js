/* What the owner of a run calls it, notes about it, and calls its pictures. */
import { sentenceOf } from "../../page/errors.js";
import { requestJson } from "../../page/scenes.js";
import { button } from "../../ui/controls.js";
import { el } from "../../ui/dom.js";

/** @typedef {import("./state.js").RunDetails} RunDetails */

const FIELDS = /** @type {const} */ ([
  ["name", "Name", 80],
  ["pictures", "Pictures", 80],
  ["note", "Note", 500],
]);

/** @param {() => Promise<unknown>} onsaved */
export function createNaming(onsaved) {
  let run = "";
  const inputs = FIELDS.map(([, label, most]) =>
    el(label === "Note" ? "textarea" : "input", { "aria-label": label, maxlength: most }),
  );
  const problem = el("p", { class: "inside-problem", role: "alert", hidden: true }),
    save = button("Save", () => void send());
  const node = el(
    "details",
    { class: "inside-more", hidden: true },
    el("summary", { text: "Name and note" }),
    el(
      "div",
      { class: "inside-fieldset" },
      ...FIELDS.map(([, label], i) =>
        el("label", { class: "inside-field" }, el("span", { text: label }), inputs[i]),
      ),
      el("p", { class: "inside-note", text: "Everybody who watches this run sees them." }),
      problem,
      save,
    ),
  );

  async function send() {
    const words = Object.fromEntries(FIELDS.map(([name], i) => [name, inputs[i].value]));
    save.disabled = true;
    problem.hidden = true;
    try {
      await requestJson(`runs/${run}/notes`, { method: "POST", body: JSON.stringify(words) });
      await onsaved();
      node.open = false;
    } catch (error) {
      problem.textContent = sentenceOf(error);
      problem.hidden = false;
    }
    save.disabled = false;
  }

  return {
    node,
    /** @param {RunDetails} details */
    draw({ name, mine, notes }) {
      node.hidden = !mine;
      if (node.open && name === run) return; // somebody is writing
      run = name;
      node.open = false;
      for (const [i, [field]] of FIELDS.entries()) inputs[i].value = notes[field];
    },
  };
}
