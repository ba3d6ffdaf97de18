/* The picture with the boxes of its crops: pointer and keys light one, a click keeps it. */
import { sceneUrl } from "../../page/scenes.js";
import { el, svg } from "../../ui/dom.js";
import { keyHints, keysSentence } from "../../ui/key-hints.js";
import { boxAt, patchLines } from "./boxes.js";
import { colourOf, highlighted, isLoaded, patchesOf } from "./state.js";

/** @typedef {import("./state.js").State} State */
/** @typedef {import("./state.js").Loaded} Loaded */

/** @typedef {{ hover: (crop: number | null) => void, pin: (crop: number | null) => void }} Choosing */

/** @type {import("../../ui/key-hints.js").KeyHints} */
const KEYS = [
  ["arrows", "go from crop to crop"],
  ["Enter", "keeps one"],
  ["Esc", "lets it go"],
];

/**
 * @param {State} state
 * @param {Choosing} choosing
 */
export function createPicture(state, { hover, pin }) {
  const picture = el("img", { alt: "", draggable: "false" }),
    shade = svg("path", { class: "shade", "fill-rule": "evenodd" }),
    lines = svg("path", { class: "lines" }),
    rects = svg("g"),
    boxes = svg("svg", { "aria-hidden": "true" }, shade, rects, lines);
  /** @type {HTMLElement} */
  const node = el(
    "div",
    {
      class: "inside-picture plain crops",
      tabindex: "0",
      role: "application",
      "aria-roledescription": "picture with crop boxes",
      "aria-label": `The picture with the boxes of its crops. ${keysSentence(KEYS)}.`,
      onpointermove: (event) => hover(cropUnder(node, event, state)),
      onpointerleave: () => hover(null),
      onkeydown: (event) => pressKey(event, state, { hover, pin }),
      onclick: (event) => pin(cropUnder(node, event, state)),
    },
    picture,
    boxes,
  );

  /**
   * The highlighted crop's own patches; what it does not see is dimmed.
   *
   * @param {Loaded} loaded
   * @param {number | null} index
   */
  function drawPatches({ scene }, index) {
    shade.setAttribute("d", "");
    lines.setAttribute("d", "");
    if (index === null) return;
    const [W, H] = scene.facts.picture_size,
      crop = scene.facts.crops[index],
      [x0, y0, x1, y1] = crop.box;
    shade.setAttribute("d", `M0 0H${W}V${H}H0ZM${x0} ${y0}H${x1}V${y1}H${x0}Z`);
    lines.setAttribute("d", patchLines(crop.box, patchesOf(scene, crop)));
  }

  return {
    node,
    picture,
    keys: keyHints(KEYS),

    /** Another scene. @param {Loaded} loaded */
    open({ shown, scene }) {
      const { picture_size: size, crops } = scene.facts,
        [W, H] = size,
        url = sceneUrl(shown.key, "source.jpg");
      if (picture.getAttribute("src") !== url) picture.src = url;
      node.style.aspectRatio = `${W} / ${H}`;
      node.style.setProperty("--ratio", String(W / H)); // limits its height
      boxes.setAttribute("viewBox", `0 0 ${W} ${H}`);
      rects.replaceChildren(
        ...crops.map(({ kind, box: [x, y, x1, y1] }, i) =>
          svg("rect", {
            class: kind,
            x,
            y,
            width: x1 - x,
            height: y1 - y,
            stroke: colourOf(scene, i),
          }),
        ),
      );
    },

    /** @param {Loaded} loaded */
    draw(loaded) {
      const chosen = highlighted(loaded);
      boxes.classList.toggle("chosen", chosen.length > 0);
      [...rects.children].forEach((box, i) =>
        box.classList.toggle("highlighted", chosen.includes(i)),
      );
      drawPatches(loaded, chosen.length === 1 ? chosen[0] : null);
    },
  };
}

/** @param {HTMLElement} node @param {MouseEvent} event @param {State} state */
function cropUnder(node, event, state) {
  if (!isLoaded(state)) return null;
  const frame = node.getBoundingClientRect(),
    { crops, picture_size: size } = state.scene.facts,
    [W, H] = size;
  const x = ((event.clientX - frame.left) / frame.width) * W,
    y = ((event.clientY - frame.top) / frame.height) * H;
  return boxAt(
    crops.map(({ box }) => box),
    [x, y],
    frame.width / W,
  );
}

/** @param {KeyboardEvent} event @param {State} state @param {Choosing} choosing */
function pressKey(event, { scene, hovered, pinned }, { hover, pin }) {
  const count = scene?.facts.crops.length ?? 0,
    now = hovered ?? pinned,
    step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
  if (step && count) hover(((now ?? (step > 0 ? -1 : count)) + step + count) % count);
  else if (event.key === "Enter" || event.key === " ") pin(now);
  else if (event.key === "Escape") {
    hover(null);
    pin(null);
  } else return;
  event.preventDefault();
}
