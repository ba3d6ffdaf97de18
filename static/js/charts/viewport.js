/* The part of a plane that is on the screen. The whole of it reaches from -1 to 1. */

/** @typedef {import("./points.js").Place} Place */

const DEEPEST = 400; // times the whole plane
const PLAY_WHOLE = 0.25; // how far the middle may go when all is in sight
const PLAY = 1.1; // and otherwise

const clamp = (
  /** @type {number} */ value,
  /** @type {number} */ low,
  /** @type {number} */ high,
) => Math.min(Math.max(value, low), high);

export class Viewport {
  /** px of the screen */
  width = 0;
  height = 0;
  /** px at the top that are left free when all is in sight */
  inset = 0;
  /** What lies in the middle of the screen. @type {[number, number]} */
  centre = [0, 0];
  zoom = 1;
  /** Share of `shorter` that 1 of the plane takes, when all is in sight. */
  scale = 0.46;

  /** px of the shorter side, without the inset */
  get shorter() {
    return Math.max(Math.min(this.width, this.height - this.inset), 1);
  }

  /** px for 1 of the plane */
  get unit() {
    return this.scale * this.shorter * this.zoom;
  }

  /** Where the centre lies on the screen. @returns {[number, number]} px */
  get middle() {
    return [this.width / 2, (this.height + this.inset) / 2];
  }

  /**
   * @param {number} x
   * @param {number} y
   * @returns {[number, number]} px
   */
  toScreen(x, y) {
    const { unit, centre, middle } = this;
    return [middle[0] + (x - centre[0]) * unit, middle[1] + (y - centre[1]) * unit];
  }

  /**
   * @param {number} x px
   * @param {number} y
   * @returns {[number, number]}
   */
  toPlane(x, y) {
    const { unit, centre, middle } = this;
    return [centre[0] + (x - middle[0]) / unit, centre[1] + (y - middle[1]) / unit];
  }

  /**
   * @param {number} x what comes to the middle
   * @param {number} y
   * @param {number} zoom
   */
  look(x, y, zoom) {
    this.zoom = clamp(zoom, 1, DEEPEST);
    const play = this.zoom === 1 ? PLAY_WHOLE : PLAY;
    this.centre = [clamp(x, -play, play), clamp(y, -play, play)];
  }

  /**
   * What lies at a place of the screen stays there.
   *
   * @param {number} factor
   * @param {number} [x] px
   * @param {number} [y]
   */
  zoomAt(factor, x = this.middle[0], y = this.middle[1]) {
    const [fixedX, fixedY] = this.toPlane(x, y),
      next = clamp(this.zoom * factor, 1, DEEPEST),
      share = this.zoom / next;
    if (next === 1) return this.look(0, 0, 1);
    const [cx, cy] = this.centre;
    this.look(fixedX + (cx - fixedX) * share, fixedY + (cy - fixedY) * share, next);
  }

  /** @param {number} dx px @param {number} dy */
  pan(dx, dy) {
    this.look(this.centre[0] - dx / this.unit, this.centre[1] - dy / this.unit, this.zoom);
  }

  /**
   * Whether a place is on the screen, so far from its edge.
   *
   * @param {number} x
   * @param {number} y
   * @param {number} [edge] px
   */
  shows(x, y, edge = 20) {
    const [left, top] = this.toScreen(x, y);
    return left >= edge && top >= edge && left <= this.width - edge && top <= this.height - edge;
  }
}
