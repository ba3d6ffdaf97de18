/* Which pictures of a zip are taken: what the server passed over is asked about, not decided. */
import { button } from "./controls.js";
import { el } from "./dom.js";
import { plural } from "./format.js";

/**
 * @typedef {object} PictureChoice as the command line's options of these names
 * @property {string[]} include
 * @property {string[]} exclude
 * @property {boolean} stretch
 */
/** @typedef {{ aside: Record<string, number>, choice: PictureChoice }} Found in a zip */

/** Names with commas between them. @param {string} text */
export const namesIn = (text) => [
  ...new Set(
    text
      .split(",")
      .map((name) => name.trim())
      .filter(Boolean),
  ),
];

/** The heading: what is asked. @param {Found} found */
export function questionOf({ aside, choice }) {
  const folders = Object.entries(aside).map(
    ([name, count]) => `${name} (${plural(count, "file", "files")})`,
  );
  if (folders.length) return `Passed over: ${folders.join(", ")}. Take them?`;
  const changed = choice.include.length + choice.exclude.length + Number(choice.stretch) > 0;
  return changed ? "Which pictures: chosen by you" : "Which pictures";
}

/**
 * @param {string} action what the button says
 * @param {(choice: PictureChoice) => unknown} onchoose
 */
export function createPictureChoice(action, onchoose) {
  const title = el("summary"),
    folders = el("div", { class: "inside-stack" }),
    exclude = el("input", {
      type: "text",
      placeholder: "names or patterns, such as *_small.jpg",
      "aria-label": "Leave out",
    }),
    stretch = checkbox("Stretch 16-bit pictures, from their smallest to their largest value"),
    apply = button(action, () => onchoose(filled()));
  const field = el("label", { class: "inside-field" }, el("span", { text: "Leave out" }), exclude);
  const node = el(
    "details",
    { class: "inside-more inside-picture-choice", hidden: true },
    title,
    folders,
    field,
    stretch.node,
    apply,
  );
  /** @type {ReturnType<typeof checkbox>[]} */
  let boxes = [];
  let drawn = "";

  /** @returns {PictureChoice} */
  function filled() {
    return {
      include: boxes.filter(({ input }) => input.checked).map(({ input }) => input.value),
      exclude: namesIn(exclude.value),
      stretch: stretch.input.checked,
    };
  }

  return {
    node,
    /** @param {Found | null} found null: there is no zip @param {boolean} [busy] */
    draw(found, busy = false) {
      node.hidden = found === null;
      apply.disabled = busy;
      const text = JSON.stringify(found);
      if (!found || drawn === text) return;
      drawn = text;
      const { aside, choice } = found;
      title.textContent = questionOf(found);
      boxes = [...new Set([...Object.keys(aside), ...choice.include])].map((name) =>
        checkbox(`Take ${name}`, name, choice.include.includes(name)),
      );
      folders.replaceChildren(...boxes.map((box) => box.node));
      exclude.value = choice.exclude.join(", ");
      stretch.input.checked = choice.stretch;
    },
  };
}

/** @param {string} label @param {string} [value] @param {boolean} [checked] */
function checkbox(label, value = "", checked = false) {
  /** @type {HTMLInputElement} */
  const input = el("input", { type: "checkbox", value, checked });
  return {
    input,
    node: el("label", { class: "inside-tick" }, input, el("span", { text: label })),
  };
}
