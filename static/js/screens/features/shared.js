/* What the four ways of looking at features have in common: numbers, small widgets, Python lines. */
import { flatten } from "../../ui/canvas.js";
import { el, svg } from "../../ui/dom.js";
import { legend as colourLegend } from "../../ui/legend.js";

/* Cosine similarity of direction `index` of one scene to all directions of another: they have
   length 1, so a dot product is all there is to it. `out` is used again when it fits. */
export function cosines(from, index, to, out) {
  const [P, D] = to.shapes.directions,
    f = from.directions,
    g = to.directions;
  if (!out || out.length !== P) out = new Float32Array(P);
  const begin = index * D,
    end = begin + D - (D % 4);
  for (let p = 0, j = 0; p < P; p++) {
    let a = 0,
      b = 0,
      c = 0,
      d = 0,
      i = begin; // four sums that do not wait for one another
    for (; i < end; i += 4, j += 4) {
      a += f[i] * g[j];
      b += f[i + 1] * g[j + 1];
      c += f[i + 2] * g[j + 2];
      d += f[i + 3] * g[j + 3];
    }
    for (; i < begin + D; i++, j++) a += f[i] * g[j];
    out[p] = a + b + c + d;
  }
  return out;
}

export function mean(values) {
  let total = 0;
  for (const value of values) total += value;
  return total / values.length;
}

/* A figure with its title, a line under it that may change, and a legend. */
export function figure(picture, title, line, legend = null) {
  const name = el("b", { text: title }),
    words = el("span", { text: line });
  return {
    node: el("figure", {}, picture, el("figcaption", {}, name, words, legend)),
    name,
    words,
  };
}

export const signedLegend = () => colourLegend("blue-red", "−1", "1");

/* Where foreground meets background, along the patches' sides: an SVG path in patches. */
export function outlinePath(mask, h, w) {
  const parts = [];
  for (let row = 0; row < h; row++)
    for (let col = 0; col < w; col++) {
      const here = mask[row * w + col];
      if (col + 1 < w && mask[row * w + col + 1] !== here) parts.push(`M${col + 1} ${row}v1`);
      if (row + 1 < h && mask[(row + 1) * w + col] !== here) parts.push(`M${col} ${row + 1}h1`);
    }
  return parts.join("");
}

export class Outline {
  constructor(picture) {
    this.node = svg("svg", {
      class: "inside-outline",
      preserveAspectRatio: "none",
      "aria-hidden": "true",
    });
    this.paths = ["halo", "edge"].map((name) => {
      const path = svg("path", { class: name });
      this.node.append(path);
      return path;
    });
    picture.node.insertBefore(this.node, picture.marker);
  }

  show(mask, [h, w], shown) {
    this.node.setAttribute("viewBox", `0 0 ${w} ${h}`);
    const path = shown ? outlinePath(mask, h, w) : "";
    for (const node of this.paths) node.setAttribute("d", path);
  }
}

/* Paints a colour and an opacity for each patch: colour(i) -> [r, g, b], opacity(i) in 0 to 1. */
export function paintEach(canvas, h, w, colour, opacity) {
  canvas.width = w;
  canvas.height = h;
  const pen = canvas.getContext("2d"),
    image = pen.createImageData(w, h);
  for (let i = 0; i < h * w; i++)
    image.data.set([...colour(i), Math.round(255 * opacity(i))], 4 * i);
  pen.putImageData(image, 0, 0);
}

/* Pictures side by side as one canvas, [[image, overlay, opacity], ...], each `width` px wide. */
export function sideBySide(parts, width = 700, gap = 24) {
  const heights = parts.map(([, overlay]) => Math.round((width * overlay.height) / overlay.width));
  const canvas = el("canvas", {
    width: parts.length * (width + gap) - gap,
    height: Math.max(...heights),
  });
  const pen = canvas.getContext("2d");
  parts.forEach(([image, overlay, opacity], i) =>
    pen.drawImage(flatten(image, overlay, opacity, width), i * (width + gap), 0),
  );
  return canvas;
}

/* The Python lines that open a second picture as `second`, once the first is open. */
export function secondInPython(view, second) {
  const file = second.sample ? `static/samples/${second.sample}` : "second.jpg";
  return `other = open_picture("${file}")
second = inspect(backbone.vit, to_tensor(fit_to_patches(other, ${second.patch_size}, ${second.short_side}).picture))`;
}

/* The settings of the PCA as Python: a preset and what was changed about it. */
export function configInPython({ preset, flip, changes }) {
  const names = {
    components: (value) => `(${value.join(", ")})`,
    colours: (value) => `"${value}"`,
  };
  const parts = Object.entries(changes).map(
    ([name, value]) =>
      `${name}=${names[name]?.(value) ?? (value === true ? "True" : value === false ? "False" : value)}`,
  );
  if (flip) parts.unshift("flip=True");
  return parts.length
    ? `replace(PCA_PRESETS["${preset}"], ${parts.join(", ")})`
    : `PCA_PRESETS["${preset}"]`;
}
