/* A part of the page as a picture: what is drawn and written there, as it looks. The browser itself
   lays it out again, inside an SVG; nothing in that may be fetched, so pictures go along as data. */
import { el, penOf, svg } from "./dom.js";

const SCALE = 2; // pixels of the picture for each of the page
const EDGE = 16; // px around it

/**
 * @param {HTMLElement} node
 * @returns {Promise<HTMLCanvasElement>}
 */
export async function snapshotOf(node) {
  const { width, height } = node.getBoundingClientRect(),
    hidden = [...node.querySelectorAll("*")].map((one) => one.scrollWidth - one.clientWidth),
    beside = Math.max(0, ...hidden); // what can only be scrolled to is shown as well
  const [w, h] = [Math.ceil(width + beside) + 2 * EDGE, Math.ceil(height) + 2 * EDGE];
  const copy = await copyOf(node, looksOf(node));
  copy.style.margin = "0";
  copy.style.width = `${Math.ceil(width)}px`;
  const body = el("div", {}, copy),
    holder = svg("foreignObject", { x: EDGE, y: EDGE, width: w - EDGE, height: h - EDGE }, body),
    frame = svg("svg", { width: w, height: h, viewBox: `0 0 ${w} ${h}` }, holder);
  const text = new XMLSerializer().serializeToString(frame);
  const image = await loaded(`data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`);
  const canvas = el("canvas", { width: w * SCALE, height: h * SCALE }),
    pen = penOf(canvas);
  pen.fillStyle = getComputedStyle(document.body).backgroundColor;
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.drawImage(image, 0, 0, canvas.width, canvas.height);
  return canvas;
}

/** @param {string} url @returns {Promise<HTMLImageElement>} */
async function loaded(url) {
  const image = el("img", { src: url });
  await image.decode();
  return image;
}

/**
 * The names of what an element looks like, the same ones for every element; without the variables
 * that it was computed from, which are more than half of them.
 *
 * @param {Element} node
 */
const looksOf = (node) => [...getComputedStyle(node)].filter((name) => !name.startsWith("--"));

/**
 * The same once more, with its looks written on it.
 *
 * @param {Element} node
 * @param {string[]} names of its looks
 * @returns {Promise<HTMLElement | SVGElement>}
 */
async function copyOf(node, names) {
  const pixels = await pixelsOf(node);
  const copy = /** @type {HTMLElement | SVGElement} */ (pixels ?? node.cloneNode(false));
  const looks = getComputedStyle(node);
  copy.setAttribute(
    "style",
    names.map((name) => `${name}:${looks.getPropertyValue(name)}`).join(";"),
  );
  if (/auto|scroll/.test(looks.overflow)) copy.style.overflow = "visible";
  if (copy instanceof HTMLElement) copy.removeAttribute("id"); // a drawing's parts name each other
  copy.removeAttribute("class");
  if (pixels) return copy;
  for (const child of node.childNodes)
    if (child instanceof Element) {
      if (getComputedStyle(child).display !== "none") copy.append(await copyOf(child, names));
    } else if (child instanceof Text) copy.append(child.data);
  return copy;
}

/** A picture or canvas as a picture that brings its pixels along. @param {Element} node */
async function pixelsOf(node) {
  if (node instanceof HTMLCanvasElement) return loaded(node.toDataURL());
  if (!(node instanceof HTMLImageElement) || !node.naturalWidth) return null;
  const canvas = el("canvas", { width: node.naturalWidth, height: node.naturalHeight });
  penOf(canvas).drawImage(node, 0, 0);
  return loaded(canvas.toDataURL());
}
