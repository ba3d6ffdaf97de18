/* What a line has left behind: a name, a shape, and how large the numbers are. */
import { el } from "../../ui/dom.js";
import { short } from "../../ui/format.js";
import { tableHead } from "../../ui/table.js";

/** @typedef {import("./state.js").Visit} Visit */
/** @typedef {Visit["values"][number]} Value */

const SHOWN = 12;

export function createValues() {
  const table = el("table", { class: "inside-table inside-held" }),
    rest = el("p", { class: "inside-note" });
  return {
    node: el(
      "div",
      { class: "inside-scroll", tabindex: "0", role: "region", "aria-label": "Values" },
      table,
      rest,
    ),

    /** @param {Visit} visit */
    draw({ values }) {
      table.replaceChildren(
        tableHead("name", "shape", "smallest", "largest", "mean"),
        el("tbody", {}, ...values.slice(0, SHOWN).map(rowOf)),
      );
      table.hidden = !values.length;
      rest.hidden = values.length > 0 && values.length <= SHOWN;
      rest.textContent = values.length
        ? `and ${values.length - SHOWN} more, in the NPZ`
        : "This line leaves no new name behind: it changes what is there.";
    },
  };
}

/** @param {Value} value */
function rowOf(value) {
  const name = el("th", { scope: "row" }, el("code", {}, ...breakable(value.name)));
  if (value.kind === "text") return el("tr", {}, name, el("td", { colspan: 4, text: value.text }));
  if (value.kind === "number")
    return el(
      "tr",
      {},
      name,
      el("td", { text: "number" }),
      el("td", { colspan: 3, text: signedShort(value.number) }),
    );
  return el(
    "tr",
    {},
    name,
    el("td", { text: `[${value.shape.join(", ")}]` }),
    ...[value.low, value.high, value.mean].map((number) => el("td", { text: signedShort(number) })),
  );
}

/** A name that may be broken where a part of it ends: `values.`, `weight_`, `decay`. @param {string} name */
const breakable = (name) =>
  name.split(/(?<=[._])/).flatMap((part, i) => (i ? [el("wbr"), part] : [part]));

/** With a true minus. @param {number | null} value */
const signedShort = (value) => (value === null ? "not finite" : short(value).replace(/^-/, "−"));
