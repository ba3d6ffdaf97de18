/* Ten thousand discs on a canvas: stamped into its pixels.

   Filling as many circles takes a canvas longer than a frame without a graphics card; copying a small
   stamp pixel by pixel takes a few milliseconds anywhere. */

/** @typedef {import("../settings.js").Rgb} Rgb */

/**
 * @typedef {object} Stamp a disc, row by row
 * @property {number} half px from its middle to its edge
 * @property {number} side
 * @property {{ cover: Uint16Array, from: number, to: number }[]} rows how much of 256 of each pixel
 *   is covered; all of it in from <= i < to
 */

/**
 * @param {number} radius px
 * @returns {Stamp}
 */
export function disc(radius) {
  const half = Math.ceil(radius),
    side = 2 * half + 1;
  const rows = Array.from({ length: side }, (_, j) => {
    const cover = Uint16Array.from({ length: side }, (_none, i) => {
      const inside = radius + 0.5 - Math.hypot(i - half, j - half);
      return Math.round(256 * Math.min(Math.max(inside, 0), 1));
    });
    const from = cover.indexOf(256);
    return {
      cover,
      from: from < 0 ? side : from,
      to: from < 0 ? side : cover.lastIndexOf(256) + 1,
    };
  });
  return { half, side, rows };
}

/** A colour as the canvas has it in memory, little endian: 0xAABBGGRR. @param {readonly number[]} rgb */
export const packed = ([r, g, b]) => ((255 << 24) | (b << 16) | (g << 8) | r) >>> 0;

/** And back, as CSS writes it. @param {number} colour */
export const cssColour = (colour) =>
  `rgb(${colour & 255} ${(colour >>> 8) & 255} ${(colour >>> 16) & 255})`;

/**
 * One packed colour over another; two channels are mixed at a time.
 *
 * @param {number} colour
 * @param {number} under
 * @param {number} share of 256
 */
export function mixed(colour, under, share) {
  const rb = ((colour & 0xff00ff) * share + (under & 0xff00ff) * (256 - share)) >>> 8,
    g = ((colour & 0xff00) * share + (under & 0xff00) * (256 - share)) >>> 8;
  return ((255 << 24) | (rb & 0xff00ff) | (g & 0xff00)) >>> 0;
}

/** The pixels of a canvas, written to directly. */
export class PixelCanvas {
  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    const pen = canvas.getContext("2d", { alpha: false, willReadFrequently: true });
    if (!pen) throw new Error("This browser gives no canvas to draw on.");
    this.canvas = canvas;
    this.pen = pen;
    this.image = pen.createImageData(1, 1);
    this.words = new Uint32Array(this.image.data.buffer);
    this.stamp = disc(1);
    this.radius = 1;
  }

  /**
   * @param {number} width px of the canvas
   * @param {number} height
   * @param {number} ground packed
   */
  begin(width, height, ground) {
    if (this.image.width !== width || this.image.height !== height) {
      this.canvas.width = width;
      this.canvas.height = height;
      this.image = this.pen.createImageData(width, height);
      this.words = new Uint32Array(this.image.data.buffer);
    }
    this.words.fill(ground);
  }

  /** The radius of the discs that follow. @param {number} radius px */
  use(radius) {
    if (radius === this.radius) return;
    this.stamp = disc(radius);
    this.radius = radius;
  }

  /**
   * @param {number} x of its middle, px
   * @param {number} y
   * @param {number} colour packed
   */
  dot(x, y, colour) {
    const { half, side, rows } = this.stamp,
      { width, height } = this.image,
      { words } = this,
      left = Math.round(x) - half,
      top = Math.round(y) - half;
    if (left >= width || top >= height || left + side <= 0 || top + side <= 0) return;
    const low = Math.max(0, -left),
      high = Math.min(side, width - left);
    for (let j = Math.max(0, -top); j < side && top + j < height; j++) {
      const { cover, from, to } = rows[j],
        line = (top + j) * width + left,
        first = Math.max(from, low),
        last = Math.min(to, high);
      for (let i = low; i < Math.min(first, high); i++)
        if (cover[i]) words[line + i] = mixed(colour, words[line + i], cover[i]);
      for (let i = first; i < last; i++) words[line + i] = colour;
      for (let i = Math.max(to, low); i < high; i++)
        if (cover[i]) words[line + i] = mixed(colour, words[line + i], cover[i]);
    }
  }

  /** Puts what was stamped on the canvas. */
  end() {
    this.pen.putImageData(this.image, 0, 0);
  }
}
