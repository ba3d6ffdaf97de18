/* The map: every picture as a point, or as itself where there is room. Drawn on two canvases: the
   points, and over them whatever changes with the pointer. gallery-hand.js moves it. */
import { el } from "../../ui/dom.js";
import { rafThrottle } from "../../ui/frame.js";
import { hands } from "./hand.js";
import {
  ahead,
  bucketsOf,
  colourOf,
  FAINT,
  inside,
  mixed,
  packed,
  pixelsOf,
  spacedOut,
} from "./plane.js";

const SIDE = 46,
  LARGE = 72; // px of a picture on the map; of one of few
const FEW = 40; // pictures that may cover a part of each other
const DEEPEST = 400; // times the whole map
const MORPH = 700; // ms from one map to another

/* onpick(index), onlasso(indices, added), onclear(), say(index) -> text */
export function galleryMap(asked) {
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  let points = null,
    goal = null,
    buckets = null,
    groups = null,
    lit = null,
    atlas = null,
    pictures = false,
    moving = 0;
  let centre = [0, 0],
    zoom = 1,
    hovered = null,
    line = null,
    sorted = {},
    colours = null;
  let marks = { pinned: null, own: null, near: [], chosen: null };
  const under = el("canvas", { class: "smooth" }),
    over = el("canvas", { class: "smooth" }),
    pixels = pixelsOf(under);
  const face = el("canvas", { class: "smooth", width: 64, height: 64 }),
    words = el("span"),
    tip = el("div", { class: "inside-gallery-tip", hidden: true }, face, words);
  const live = el("span", { class: "inside-hidden", "aria-live": "polite" });
  const plane = el(
    "div",
    {
      class: "inside-plane inside-gallery-map",
      tabindex: "0",
      role: "application",
      "aria-roledescription": "map of pictures",
    },
    under,
    over,
    tip,
    live,
  );

  // ---------- from the map to the screen and back

  let width = 0,
    height = 0,
    ink = null; // of the map on the screen; its colours, asked for once
  const dense = () => Math.min(devicePixelRatio || 1, 2);
  const unit = () => (few() ? 0.4 : 0.46) * Math.min(width, height) * zoom; // px for 1 of the map
  const toScreen = (i) => [
    width / 2 + (points[2 * i] - centre[0]) * unit(),
    height / 2 + (points[2 * i + 1] - centre[1]) * unit(),
  ];
  const toMap = (x, y) => [
    centre[0] + (x - width / 2) / unit(),
    centre[1] + (y - height / 2) / unit(),
  ];
  const few = () => points.length / 2 <= FEW,
    side = () => (few() ? LARGE : SIDE);
  const isLit = (i) => !lit || lit[i] === 1;
  const radius = () =>
    Math.round(
      4 *
        Math.min(Math.max(130 / Math.sqrt(points.length / 2), 2.4), 6) *
        Math.min(zoom ** 0.25, 1.7) *
        dense(),
    ) / 4;

  /* Which points are shown as pictures. Settled for each doubling of the zoom on the map itself, so
     that moving it changes nothing. */
  function shownPictures() {
    if (!pictures || !atlas) return [];
    const level = Math.round(2 * Math.log2(zoom)) / 2,
      base = unit() / zoom,
      key = `${level} ${Math.round(base)}`;
    if (sorted.points !== points) sorted = { points, levels: new Map() };
    if (!sorted.levels.has(key))
      sorted.levels.set(
        key,
        spacedOut(points, ((few() ? 0.4 : 1) * side() + 2) / (base * 2 ** level)),
      );
    return sorted.levels.get(key);
  }

  // ---------- drawing

  function measure() {
    [width, height] = [plane.clientWidth, plane.clientHeight];
    const style = getComputedStyle(plane),
      ground = (style.backgroundColor.match(/[\d.]+/g) ?? [255, 255, 255]).slice(0, 3).map(Number);
    ink = {
      ground: packed(ground),
      halo: `rgb(${ground})`,
      text: style.color,
      quiet: style.getPropertyValue("--inside-quiet"),
      accent: style.getPropertyValue("--inside-accent"),
    };
    redraw();
  }

  function draw() {
    if (!width || !points) return;
    const ratio = dense(),
      W = Math.round(width * ratio),
      H = Math.round(height * ratio),
      k = unit() * ratio,
      n = points.length / 2,
      r = radius();
    const left = W / 2 - centre[0] * k,
      top = H / 2 - centre[1] * k;
    const faint = mixed(packed(FAINT), ink.ground, 80);
    pixels.begin(W, H, ink.ground);
    pixels.use(r);
    if (lit)
      for (let i = 0; i < n; i++)
        if (!lit[i]) pixels.dot(left + points[2 * i] * k, top + points[2 * i + 1] * k, faint);
    for (let i = 0; i < n; i++)
      if (!lit || lit[i])
        pixels.dot(left + points[2 * i] * k, top + points[2 * i + 1] * k, colours[i]);
    pixels.end();
    drawOver();
  }

  function drawOver() {
    if (!width || !points) return;
    const ratio = dense();
    if (over.width !== Math.round(width * ratio) || over.height !== Math.round(height * ratio)) {
      over.width = Math.round(width * ratio);
      over.height = Math.round(height * ratio);
    }
    const pen = over.getContext("2d");
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, width, height);
    for (const i of shownPictures()) drawPicture(pen, i, isLit(i) ? 1 : 0.18, ratio);
    drawMarks(pen);
    if (line) drawLine(pen);
  }

  function drawPicture(pen, i, opacity, ratio) {
    const k = unit(),
      half = side() / 2,
      x = Math.round((width / 2 + (points[2 * i] - centre[0]) * k) * ratio) / ratio,
      y = Math.round((height / 2 + (points[2 * i + 1] - centre[1]) * k) * ratio) / ratio;
    if (x < -half || y < -half || x > width + half || y > height + half) return;
    pen.globalAlpha = opacity;
    pen.fillStyle = `rgb(${colourOf(groups[i])})`;
    pen.fillRect(x - half - 2.5, y - half - 2.5, 2 * half + 5, 2 * half + 5);
    const tile = atlas.small(i, 2 * half * ratio);
    if (tile) pen.drawImage(tile, x - half, y - half, 2 * half, 2 * half);
    pen.globalAlpha = 1;
  }

  function ring(pen, i, r, colour, dash = []) {
    const [x, y] = toScreen(i),
      square = shownPictures().includes(i) ? side() / 2 + 4 : 0;
    for (const [ink, thick] of [
      ["rgb(0 0 0 / 0.75)", 4.5],
      [colour, 2.5],
    ]) {
      pen.strokeStyle = ink;
      pen.lineWidth = thick;
      pen.setLineDash(dash);
      pen.beginPath();
      if (square) pen.rect(x - square, y - square, 2 * square, 2 * square);
      else pen.arc(x, y, r, 0, 7);
      pen.stroke();
    }
    pen.setLineDash([]);
  }

  function drawMarks(pen) {
    const r = radius() / dense() + 3.5;
    if (marks.pinned !== null) {
      const [x, y] = toScreen(marks.pinned);
      pen.strokeStyle = ink.quiet;
      pen.lineWidth = 1;
      pen.globalAlpha = 0.5;
      for (const i of marks.near) {
        const [a, b] = toScreen(i);
        pen.beginPath();
        pen.moveTo(x, y);
        pen.lineTo(a, b);
        pen.stroke();
      }
      pen.globalAlpha = 1;
      for (const i of marks.near) ring(pen, i, r - 1, "#fff");
    }
    if (marks.own !== null) {
      ring(pen, marks.own, r + 4, "#7dd3fc", [4, 3]);
      label(pen, marks.own, "your picture", r);
    }
    if (marks.pinned !== null) ring(pen, marks.pinned, r, "#ffe066");
    if (hovered !== null) ring(pen, hovered, r, "#fff");
  }

  function label(pen, i, text, r) {
    const [x, y] = toScreen(i),
      up = shownPictures().includes(i) ? side() / 2 + 12 : r + 12;
    pen.font = "600 12px system-ui, sans-serif";
    pen.textAlign = "center";
    pen.lineWidth = 4;
    pen.strokeStyle = ink.halo;
    pen.strokeText(text, x, y - up);
    pen.fillStyle = ink.text;
    pen.fillText(text, x, y - up);
  }

  function drawLine(pen) {
    pen.beginPath();
    line.forEach(([x, y], i) => (i ? pen.lineTo(x, y) : pen.moveTo(x, y)));
    pen.closePath();
    pen.fillStyle = "rgb(99 102 241 / 0.14)";
    pen.fill();
    pen.setLineDash([5, 4]);
    pen.lineWidth = 1.5;
    pen.strokeStyle = ink.accent;
    pen.stroke();
    pen.setLineDash([]);
  }

  const redraw = rafThrottle(draw),
    redrawOver = rafThrottle(drawOver);

  // ---------- what is under the pointer

  function under_(x, y) {
    if (!points || moving) return null;
    const half = side() / 2 + 2;
    const picture = shownPictures().findLast((i) => {
      const [a, b] = toScreen(i);
      return isLit(i) && Math.abs(a - x) < half && Math.abs(b - y) < half;
    });
    return picture ?? buckets.nearest(...toMap(x, y), 16 / unit(), isLit);
  }

  function hover(index, aloud = false) {
    if (index === hovered) return;
    hovered = index;
    tip.hidden = index === null;
    if (index !== null) {
      const [x, y] = toScreen(index);
      if (atlas) atlas.paint(face, index);
      words.textContent = asked.say(index);
      tip.style.left = x > width / 2 ? "auto" : `${Math.max(x + 20, 4)}px`;
      tip.style.right = x > width / 2 ? `${Math.max(width - x + 20, 4)}px` : "auto";
      tip.style.top = y > height / 2 ? "auto" : `${Math.max(y, 4)}px`;
      tip.style.bottom = y > height / 2 ? `${Math.max(height - y, 4)}px` : "auto";
      if (aloud) live.textContent = words.textContent.replaceAll("\n", ", ");
    }
    redrawOver();
  }

  // ---------- moving

  function look(x, y, next) {
    zoom = Math.min(Math.max(next, 1), DEEPEST);
    const far = zoom === 1 ? 0.25 : 1.1; // the whole map stays where it is, almost
    centre = [Math.min(Math.max(x, -far), far), Math.min(Math.max(y, -far), far)];
    plane.style.touchAction = zoom > 1.01 || lassoing() ? "none" : "pan-y";
    tip.hidden = true;
    hovered = null;
    redraw();
  }

  function zoomAt(factor, x = width / 2, y = height / 2) {
    const [mx, my] = toMap(x, y),
      next = Math.min(Math.max(zoom * factor, 1), DEEPEST);
    const keep = zoom / next; // what lies under the pointer stays there
    look(mx + (centre[0] - mx) * keep, my + (centre[1] - my) * keep, next);
    if (next === 1) look(0, 0, 1);
  }

  const pan = (dx, dy) => look(centre[0] - dx / unit(), centre[1] - dy / unit(), zoom);

  /* Brings a point into sight, if it is not. */
  function bring(i) {
    const [x, y] = toScreen(i),
      edge = 20;
    if (x < edge || y < edge || x > width - edge || y > height - edge)
      look(points[2 * i], points[2 * i + 1], zoom);
  }

  function step(direction) {
    const from = hovered ?? marks.pinned,
      next =
        from === null ? Math.max(lit?.indexOf(1) ?? 0, 0) : ahead(points, from, direction, isLit);
    if (next === null) return;
    bring(next);
    draw();
    hover(next, true);
  }

  function lasso(path, added) {
    line = path;
    redrawOver();
    if (!path || path.length < 3) return;
    if (added === undefined) return; // still being drawn
    line = null;
    asked.onlasso(
      inside(
        points,
        path.map(([x, y]) => toMap(x, y)),
      ).filter(isLit),
      added,
    );
  }

  const hand = hands(plane, {
    under: under_,
    hover,
    zoomAt,
    pan,
    step,
    lasso,
    whole: () => look(0, 0, 1),
    pick: (i) => asked.onpick(i),
    at: () => hovered,
    clear: () => {
      hover(null);
      asked.onclear();
    },
    toggle: (i) => asked.onlasso([i], "toggle"),
  });
  const lassoing = () => hand.lassoing;
  new ResizeObserver(measure).observe(plane);
  new MutationObserver(measure).observe(document.body, {
    attributes: true,
    attributeFilter: ["class"],
  }); // light and dark

  /* From where the points are to where they belong: the eye can follow a group. */
  function moveTo(next, gently = true) {
    cancelAnimationFrame(moving);
    moving = 0;
    const from = points;
    goal = next;
    buckets = bucketsOf(next);
    hover(null);
    if (
      !from ||
      from.length !== next.length ||
      !gently ||
      still.matches ||
      plane.offsetParent === null
    ) {
      points = next;
      draw();
      return;
    }
    const begin = performance.now(),
      between = new Float32Array(next.length);
    const frame = (now) => {
      const t = Math.min(Math.max((now - begin) / MORPH, 0), 1),
        ease = t * t * (3 - 2 * t);
      if (t === 1) {
        points = next;
        moving = 0;
        draw();
        return;
      }
      for (let i = 0; i < next.length; i++) between[i] = from[i] + (next[i] - from[i]) * ease;
      points = between;
      draw();
      moving = requestAnimationFrame(frame);
    };
    moving = requestAnimationFrame(frame);
  }

  return {
    node: plane,
    zoomAt,
    hand,
    whole: () => look(0, 0, 1),
    /* A gallery is opened: nothing of the one before stays. */
    open(sheets, count, asPictures, name) {
      cancelAnimationFrame(moving);
      [atlas, pictures, points, goal, groups, lit, moving, zoom, centre] = [
        sheets,
        asPictures,
        null,
        null,
        new Int32Array(count).fill(-1),
        null,
        0,
        1,
        [0, 0],
      ];
      colours = new Uint32Array(count).fill(packed(FAINT));
      marks = { pinned: null, own: null, near: [], chosen: null };
      hovered = null;
      tip.hidden = true;
      plane.setAttribute(
        "aria-label",
        `${name}: ${count} pictures as points; near points are alike. Arrows go to the next picture in that direction, Enter shows it, Space selects it, plus and minus zoom, 0 shows the whole map, Escape clears.`,
      );
      plane.style.touchAction = "pan-y";
    },
    setPoints(xy, gently) {
      moveTo(
        Float32Array.from(xy, (value, i) => (i % 2 ? -value : value)),
        gently,
      );
    }, // up is up
    setGroups(next) {
      groups = next;
      colours = Uint32Array.from(next, (group) => packed(colourOf(group)));
      redraw();
    },
    setLit(next) {
      lit = next;
      redraw();
    },
    setPictures(on) {
      pictures = on;
      redraw();
    },
    mark(next) {
      Object.assign(marks, next);
      redrawOver();
    },
    bring(i) {
      if (points) bring(i);
    },
    hover,
    redraw,
    get state() {
      return {
        zoom,
        centre: [...centre],
        hovered,
        pictures,
        lassoing: hand.lassoing,
        moving: moving !== 0,
        near: marks.near,
        own: marks.own,
        tip: tip.hidden ? null : words.textContent,
        shown: pictures && points ? shownPictures().length : 0,
      };
    },
    screen: (i) => toScreen(i),
    points: () => goal,
    png() {
      const sheet = el("canvas", { width: under.width, height: under.height }),
        pen = sheet.getContext("2d");
      pen.drawImage(under, 0, 0);
      pen.drawImage(over, 0, 0);
      return sheet;
    },
  };
}
