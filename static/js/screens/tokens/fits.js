/* Three ways to bring a picture to whole patches, drawn in one scale from the source. */
import { el, penOf } from "../../ui/dom.js";

/** @typedef {import("./state.js").PatchesScene["facts"]} Facts */
/** @typedef {Facts["fits"][number]} Way */
/** @typedef {Way & { input_size: [number, number], grid: [number, number] }} PossibleWay */
/** @typedef {[number, number]} Size width and height */

const TITLES = { resize: "Resize, as used here", pad: "Pad", crop: "Crop" };
const LONGEST = 480; // px of a drawing
const FILL = "rgb(124 116 104)"; // of a padded picture

/** @param {Way} way @returns {way is PossibleWay} */
const isPossible = (way) => way.input_size !== null && way.grid !== null;

/**
 * Fills `place` with a figure for each way.
 *
 * @param {HTMLElement} place
 * @param {Facts} facts
 * @param {HTMLImageElement} source the picture as it came
 */
export function paintFits(place, facts, source) {
  const size = facts.source_size,
    possible = facts.fits.filter(isPossible);
  const largest = (/** @type {0 | 1} */ axis) =>
    Math.max(...possible.map((way) => extent(way, axis, size)));
  /** @type {Size} */
  const frame = [largest(0), largest(1)];
  place.replaceChildren(
    ...facts.fits.map((way) => {
      const canvas = el("canvas", {
        class: "smooth",
        role: "img",
        "aria-label": `${TITLES[way.how]}: ${way.words}`,
      });
      if (isPossible(way)) drawFit(canvas, { way, frame, facts, source });
      return el("figure", {}, canvas, caption(way));
    }),
  );
}

/**
 * What a way takes up along x or y, with what it cuts away.
 *
 * @param {PossibleWay} way
 * @param {0 | 1} axis
 * @param {Size} size
 */
const extent = (way, axis, size) =>
  Math.max(way.input_size[axis], way.how === "crop" ? size[axis] * way.scale[axis] : 0);

/** @param {Way} way */
const caption = (way) =>
  el(
    "figcaption",
    {},
    el("b", { text: TITLES[way.how] }),
    el("span", { text: isPossible(way) ? `${way.input_size.join(" × ")} px` : "not possible" }),
    el("span", { text: isPossible(way) ? `${way.grid[0]} × ${way.grid[1]} patches` : "" }),
    el("span", { text: way.words }),
  );

/**
 * The source as a way places it; what is cut away stays faint, what is filled up is grey.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {{ way: PossibleWay, frame: Size, facts: Facts, source: HTMLImageElement }} what
 */
function drawFit(canvas, { way, frame, facts, source }) {
  const k = LONGEST / Math.max(...frame),
    context = penOf(canvas),
    [w, h] = way.input_size,
    [W, H] = facts.source_size;
  canvas.width = Math.round(frame[0] * k);
  canvas.height = Math.round(frame[1] * k);
  context.scale(k, k);
  if (way.how === "crop") context.translate(-way.offset[0], -way.offset[1]);
  if (way.how === "pad") {
    context.fillStyle = FILL;
    context.fillRect(0, 0, w, h);
  }
  const draw = () => context.drawImage(source, ...way.offset, W * way.scale[0], H * way.scale[1]);
  if (way.how === "crop") {
    context.globalAlpha = 0.25;
    draw();
    context.globalAlpha = 1;
  }
  context.save();
  context.beginPath();
  context.rect(0, 0, w, h);
  context.clip();
  draw();
  context.restore();
  context.strokeStyle = "rgb(255 255 255 / 0.4)";
  context.lineWidth = 1 / k;
  strokeGrid(context, way.input_size, facts.patch_size);
}

/** @param {CanvasRenderingContext2D} context @param {Size} size @param {number} p */
function strokeGrid(context, [w, h], p) {
  context.beginPath();
  for (let x = p; x < w; x += p) {
    context.moveTo(x, 0);
    context.lineTo(x, h);
  }
  for (let y = p; y < h; y += p) {
    context.moveTo(0, y);
    context.lineTo(w, y);
  }
  context.stroke();
}
