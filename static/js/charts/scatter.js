/* The one scatter of the page: up to a million points on a canvas, to hover, move, zoom and, where
   wanted, to lasso; a point can be a picture where there is room. Where points go to is animated, so
   that the eye can follow a group.

   const map = new Scatter({ describe: (i) => names[i], onpick: (i) => ... });
   map.open({ label: "Pictures as points" });
   map.setPoints(xy);                      // [2n], -1 to 1, y upwards
   map.setColours((i) => groupColour(labels[i])); */
import { el } from "../ui/dom.js";
import { rafThrottle } from "../ui/frame.js";
import { Buckets } from "./buckets.js";
import { Crowd, CROWD, Loose } from "./crowd.js";
import { FAINT } from "./groups.js";
import { Morph } from "./morph.js";
import { PixelCanvas, packed } from "./pixels.js";
import { pointAhead, pointsInside } from "./points.js";
import { PointsDrawing } from "./points-drawing.js";
import { pressKey, ScatterControls } from "./scatter-controls.js";
import { drawOver, themeOf } from "./scatter-drawing.js";
import { ScatterTip } from "./scatter-tip.js";
import { ShownPictures } from "./standing-out.js";
import { Viewport } from "./viewport.js";

/** @typedef {import("./points.js").Place} Place */
/** @typedef {import("./scatter-drawing.js").Frame} Frame */
/** @typedef {import("./scatter-drawing.js").Ring} Ring */
/** @typedef {import("./scatter-drawing.js").Thumbnails} Thumbnails */
/** @typedef {import("../settings.js").Rgb} Rgb */
/** @typedef {"new" | "add" | "toggle"} SelectMode what becomes of what was selected before */

/**
 * @typedef {object} ScatterOptions
 * @property {(index: number) => string} describe a point, beside the pointer and aloud; lines with \n
 * @property {(index: number) => unknown} onpick clicked, or Enter on it
 * @property {(index: number | null) => unknown} [onhover]
 * @property {(indices: number[], mode: SelectMode) => unknown} [onselect] by a lasso or the space bar;
 *   without it there is none
 * @property {() => unknown} [onclear] Escape
 * @property {(event: KeyboardEvent) => boolean} [onkey] asked first: true where the key has been used
 * @property {() => unknown} [onrest] points that were on their way have come to their places
 * @property {() => number} [inset] px at the top that something else lies on: the whole map is below
 * @property {HTMLCanvasElement} [face] stands beside the words, for whoever wants to paint on it
 * @property {string} [className]
 * @property {string} [roleDescription]
 */

const FEW = 40; // pictures that may cover a part of each other
const SIDE = 46; // px of a picture
const SIDE_OF_FEW = 72;
const ROOMY = 480; // px of a map on which pictures have that size
const SMALLEST = 0.55; // of it
const PATIENCE = 6; // ms of a frame for the points of a crowd; the others come in the frames after it
const MORPHING = 100_000; // points that travel from one map to the next; more of them are there at once
const REACH = 16; // px from the pointer to the point it means
/** @type {Ring} */
const POINTED_AT = { index: 0, colour: "#fff" };

export class Scatter {
  viewport = new Viewport();
  /** The point under the pointer. @type {number | null} */
  hovered = null;
  /** Where the points are now, y downwards. @type {Float32Array | null} */
  #points = null;
  /** Where they are, or are on their way to. @type {Float32Array | null} */
  #goal = null;
  /** By their place; made when somebody asks for it. @type {Buckets | Crowd | null} */
  #index = null;
  /** In which they come. @type {number | undefined} */
  #parts;
  #next = 0; // frame that has been asked for
  #anew = true; // whether it draws from the beginning
  #colours = new Uint32Array(0);
  /** @type {Uint8Array | null} */
  #highlighted = null;
  /** @type {Thumbnails | null} */
  #thumbnails = null;
  #pictures = false;
  /** @type {readonly Ring[]} */
  #rings = [];
  /** @type {Frame["links"]} */
  #links = [];
  /** @type {Place[] | null} */
  #lasso = null;
  #morph = new Morph();
  #shown = new ShownPictures();

  /** @param {ScatterOptions} options */
  constructor(options) {
    this.options = options;
    this.under = el("canvas", { class: "smooth" });
    this.over = el("canvas", { class: "smooth" });
    this.drawing = new PointsDrawing(new PixelCanvas(this.under));
    this.tip = new ScatterTip(options.face ?? null);
    this.node = el(
      "div",
      {
        class: `inside-plane ${options.className ?? ""}`,
        tabindex: "0",
        role: "application",
        "aria-roledescription": options.roleDescription ?? "map",
        onkeydown: (event) => this.#key(event),
      },
      this.under,
      this.over,
      this.tip.node,
      this.tip.live,
    );
    this.theme = themeOf(this.node);
    this.redrawOver = rafThrottle(() => this.#drawOver());
    this.controls = new ScatterControls(this.node, this.#controlled(), {
      lasso: Boolean(options.onselect),
    });
    new ResizeObserver(() => this.measure()).observe(this.node);
    new MutationObserver(() => this.measure()).observe(document.body, {
      attributes: true,
      attributeFilter: ["class"], // light and dark
    });
  }

  /** @returns {import("./scatter-controls.js").Controlled} */
  #controlled() {
    return {
      pointAt: (x, y) => this.pointAt(x, y),
      hover: (index) => this.hover(index),
      pan: (dx, dy) => this.#move(() => this.viewport.pan(dx, dy)),
      zoomAt: (factor, x, y) => this.zoomAt(factor, x, y),
      drawLasso: (line) => {
        this.#lasso = line;
        this.redrawOver();
      },
      endLasso: (line, added) => this.#select(line, added),
      pick: (index) => this.options.onpick(index),
    };
  }

  // ---------- what is shown

  /**
   * Other points altogether: nothing of those before stays.
   *
   * @param {{ label: string, thumbnails?: Thumbnails | null, pictures?: boolean }} shown label: for
   *   who does not see it; pictures: points as pictures, where there is room
   */
  open({ label, thumbnails = null, pictures = false }) {
    this.#morph.cancel();
    this.#thumbnails = thumbnails;
    this.#pictures = pictures;
    this.#points = this.#goal = this.#highlighted = this.#lasso = this.#index = null;
    this.#rings = this.#links = [];
    this.#move(() => this.viewport.look(0, 0, 1));
    this.node.setAttribute("aria-label", label);
  }

  /**
   * @param {ArrayLike<number>} xy [2n], about -1 to 1, y upwards; not a number: still to come
   * @param {object} [how]
   * @param {boolean} [how.gently] on their way, or at once
   * @param {number} [how.parts] in which they come: every so many-th point
   */
  setPoints(xy, { gently = true, parts } = {}) {
    const next = mirrored(xy),
      from = this.#points;
    this.#morph.cancel();
    this.#goal = next;
    this.#parts = parts;
    this.#index = null;
    this.viewport.scale = this.#thumbnails && this.#isFew(next) ? 0.4 : 0.46;
    if (this.#colours.length !== next.length / 2)
      this.#colours = new Uint32Array(next.length / 2).fill(packed(FAINT));
    this.hover(null);
    const draw = (/** @type {Float32Array} */ points) => {
      this.#points = points;
      this.draw();
    };
    const travel = (/** @type {Float32Array} */ points) => {
      draw(points);
      if (points === next) this.options.onrest?.();
    };
    if (gently && from && this.#canTravel(from, next)) this.#morph.start(from, next, travel);
    else draw(next);
  }

  /** More of the same points have come. @param {ArrayLike<number>} xy [2n] */
  addPoints(xy) {
    if (!this.#goal) return;
    mirrored(xy, this.#goal);
    if (!(this.#index instanceof Crowd)) this.#index = null;
    this.#ask(!this.#index);
  }

  /** @param {Float32Array} from @param {Float32Array} to */
  #canTravel(from, to) {
    const few = from.length === to.length && to.length / 2 <= MORPHING;
    return few && this.node.offsetParent !== null && this.#morph.wanted;
  }

  /** @param {(index: number) => readonly number[]} colour RGB of a point */
  setColours(colour) {
    const n = (this.#goal?.length ?? 0) / 2;
    this.#colours = new Uint32Array(n);
    for (let i = 0; i < n; i++) this.#colours[i] = packed(colour(i));
    if (this.#index instanceof Crowd) this.#index.paint(this.#colours);
    this.redraw();
  }

  /** @param {Uint8Array | null} mask [n]: 0 stands back, and is not under the pointer; null: nobody */
  setHighlighted(mask) {
    this.#highlighted = mask;
    if (this.#index instanceof Crowd) this.#index.highlight(mask);
    this.redraw();
  }

  /** @param {boolean} on points as pictures, where there is room */
  setPictures(on) {
    this.#pictures = on;
    this.redraw();
  }

  /**
   * @param {readonly Ring[]} rings the last lies on top
   * @param {Frame["links"]} [links]
   */
  annotate(rings, links = []) {
    this.#rings = rings;
    this.#links = links;
    this.redrawOver();
  }

  // ---------- where things are

  /** Of a point on the screen, px of the node. @param {number} i */
  placeOf(i) {
    const points = this.#points ?? [];
    return this.viewport.toScreen(points[2 * i], points[2 * i + 1]);
  }

  /**
   * The point that is meant by a place of the screen.
   *
   * @param {number} x px
   * @param {number} y
   * @returns {number | null}
   */
  pointAt(x, y) {
    if (!this.#points || this.#morph.running) return null;
    const half = this.#side() / 2 + 2;
    const picture = this.#shownPictures().findLast((i) => {
      const [left, top] = this.placeOf(i);
      return this.#isHighlighted(i) && Math.abs(left - x) < half && Math.abs(top - y) < half;
    });
    if (picture !== undefined) return picture;
    const [px, py] = this.viewport.toPlane(x, y);
    return this.#indexed().nearest(px, py, REACH / this.viewport.unit, this.#isHighlighted);
  }

  #indexed() {
    const points = this.#goal ?? new Float32Array(0);
    return (this.#index ??=
      points.length / 2 <= CROWD ? new Buckets(points) : this.#crowdOf(points));
  }

  /** @param {Float32Array} points */
  #crowdOf(points) {
    return new Crowd(points, this.#parts).paint(this.#colours).highlight(this.#highlighted);
  }

  /** The points as they are drawn: sorted, if they are very many and rest. */
  #drawn() {
    const xy = this.#points ?? new Float32Array(0),
      index = xy === this.#goal && xy.length / 2 > CROWD ? this.#indexed() : null;
    if (index instanceof Crowd) return index;
    return new Loose({ xy, colours: this.#colours, highlighted: this.#highlighted });
  }

  #isHighlighted = (/** @type {number} */ i) => !this.#highlighted || this.#highlighted[i] === 1;

  #isFew = (points = this.#points) => points !== null && points.length / 2 <= FEW;

  /** px of a picture: smaller where the map is low. */
  #side() {
    const room = Math.min(Math.max(this.viewport.shorter / ROOMY, SMALLEST), 1);
    return Math.round(room * (this.#isFew() ? SIDE_OF_FEW : SIDE));
  }

  /**
   * Which points are shown as pictures. Settled for each doubling of the zoom on the plane itself, so
   * that moving it changes nothing.
   *
   * @returns {readonly number[]}
   */
  #shownPictures() {
    const points = this.#points;
    if (!this.#pictures || !this.#thumbnails || !points) return [];
    if (this.#morph.running && points.length / 2 > CROWD) return [];
    const side = (this.#isFew() ? 0.4 : 1) * this.#side() + 2;
    return this.#shown.of(points, this.viewport, side, () => this.#indexed());
  }

  // ---------- moving

  /** @param {() => void} change of the viewport */
  #move(change) {
    change();
    const free = this.viewport.zoom > 1.01 || this.controls?.lassoing;
    this.node.style.touchAction = free ? "none" : "pan-y";
    this.tip.hide();
    this.hovered = null;
    this.redraw();
  }

  /** @param {number} factor @param {number} [x] px of what stays in its place @param {number} [y] */
  zoomAt(factor, x, y) {
    this.#move(() => this.viewport.zoomAt(factor, x, y));
  }

  showWhole() {
    this.#move(() => this.viewport.look(0, 0, 1));
  }

  /** Brings a point into sight, if it is not. @param {number} i */
  reveal(i) {
    const points = this.#points;
    if (!points) return;
    const [x, y] = [points[2 * i], points[2 * i + 1]];
    if (Number.isNaN(x) || this.viewport.shows(x, y)) return;
    this.#move(() => this.viewport.look(x, y, this.viewport.zoom));
  }

  get lassoing() {
    return this.controls.lassoing;
  }

  set lassoing(on) {
    this.controls.lassoing = on;
    this.node.classList.toggle("lasso", on);
    this.#move(() => {});
  }

  // ---------- pointing and choosing

  /** @param {number | null} index @param {boolean} [aloud] */
  hover(index, aloud = false) {
    if (index === this.hovered) return;
    this.hovered = index;
    if (index === null) this.tip.hide();
    else {
      const text = this.options.describe(index);
      this.tip.show(text, this.placeOf(index), this.viewport);
      if (aloud) this.tip.announce(text);
    }
    this.options.onhover?.(index);
    this.redrawOver();
  }

  /** Says anew what is under the pointer, for more is known of it. */
  retell() {
    const { hovered } = this;
    if (hovered !== null)
      this.tip.show(this.options.describe(hovered), this.placeOf(hovered), this.viewport);
  }

  /** @param {Place[]} line px @param {boolean} added to what was selected */
  #select(line, added) {
    this.#lasso = null;
    this.redrawOver();
    if (!this.#points) return;
    const places = line.map(([x, y]) => this.viewport.toPlane(x, y)),
      found = pointsInside(this.#points, places).filter(this.#isHighlighted);
    this.options.onselect?.(found, added ? "add" : "new");
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const used =
      this.options.onkey?.(event) ||
      pressKey(event.key, {
        hovered: this.hovered,
        step: (direction) => this.#step(direction),
        zoomAt: (factor) => this.zoomAt(factor),
        showWhole: () => this.showWhole(),
        clear: () => {
          this.hover(null);
          this.options.onclear?.();
        },
        pick: (index) => this.options.onpick(index),
        toggle: (index) => this.options.onselect?.([index], "toggle"),
      });
    if (used) event.preventDefault();
  }

  /** @param {Place} direction */
  #step(direction) {
    const points = this.#points;
    if (!points) return;
    const from = this.hovered ?? this.#rings.at(-1)?.index ?? null,
      first = Math.max(this.#highlighted?.indexOf(1) ?? 0, 0),
      next = from === null ? first : pointAhead(points, from, direction, this.#isHighlighted);
    if (next === null) return;
    this.reveal(next);
    this.draw();
    this.hover(next, true);
  }

  // ---------- drawing

  measure() {
    this.viewport.width = this.node.clientWidth;
    this.viewport.height = this.node.clientHeight;
    this.viewport.inset = this.options.inset?.() ?? 0;
    this.theme = themeOf(this.node);
    this.redraw();
  }

  /** Draws it anew in the next frame. */
  redraw() {
    this.#ask(true);
  }

  /** @param {boolean} anew or on, where a frame has not been enough */
  #ask(anew) {
    this.#anew ||= anew;
    this.#next ||= requestAnimationFrame(() => {
      this.#next = 0;
      if (this.#anew) return this.draw();
      this.#drawOn();
      this.#drawOver();
    });
  }

  draw() {
    cancelAnimationFrame(this.#next);
    this.#next = 0;
    this.#anew = false;
    if (!this.viewport.width) return;
    this.drawing.begin({
      viewport: this.viewport,
      crowd: this.#drawn(),
      ground: this.theme.ground,
    });
    this.#drawOn();
    this.#drawOver();
  }

  #drawOn() {
    if (this.drawing.step(PATIENCE)) this.#ask(false);
  }

  #drawOver() {
    if (this.viewport.width) drawOver(this.over, this.#frame());
  }

  /** @returns {Frame} */
  #frame() {
    const { hovered } = this;
    return {
      viewport: this.viewport,
      points: this.#points ?? new Float32Array(0),
      radius: this.drawing.radius,
      colours: this.#colours,
      highlighted: this.#highlighted,
      thumbnails: this.#thumbnails,
      shown: this.#shownPictures(),
      side: this.#side(),
      rings: hovered === null ? this.#rings : [...this.#rings, { ...POINTED_AT, index: hovered }],
      links: this.#links,
      lasso: this.#lasso,
      theme: this.theme,
    };
  }

  /** What is drawn, as one canvas. */
  png() {
    if (this.#anew) this.draw();
    this.drawing.step();
    const canvas = el("canvas", { width: this.under.width, height: this.under.height }),
      pen = canvas.getContext("2d");
    pen?.drawImage(this.under, 0, 0);
    pen?.drawImage(this.over, 0, 0);
    return canvas;
  }

  /** What it shows, as tests read it. */
  get state() {
    return {
      zoom: this.viewport.zoom,
      centre: [...this.viewport.centre],
      hovered: this.hovered,
      pictures: this.#pictures,
      lassoing: this.lassoing,
      moving: this.#morph.running,
      tip: this.tip.text,
      shown: this.#shownPictures().length,
      points: (this.#goal?.length ?? 0) / 2,
      there: this.#indexed().there,
    };
  }
}

/**
 * Points with y the other way.
 *
 * @param {ArrayLike<number>} xy [2n]
 * @param {Float32Array} [out]
 */
function mirrored(xy, out = new Float32Array(xy.length)) {
  for (let i = 0; i < xy.length; i += 2) {
    out[i] = xy[i];
    out[i + 1] = -xy[i + 1];
  }
  return out;
}
