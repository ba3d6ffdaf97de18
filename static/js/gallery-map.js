/* The map: every picture as a point, or as itself where there is room. Drawn on two canvases: the
   points, and over them whatever changes with the pointer. gallery-hand.js moves it. */
import { hands } from "./gallery-hand.js";
import { ahead, bucketsOf, colourOf, FAINT, inside, pixelsOf, spacedOut } from "./gallery-plane.js";

const SIDE = 46; // px of a picture on the map
const DEEPEST = 400; // times the whole map
const MORPH = 700; // ms from one map to another

/* onhover(index | null), onpick(index), onlasso(indices, added), onclear(), say(index) -> text */
export function galleryMap(asked) {
  const { el } = Inside, still = matchMedia("(prefers-reduced-motion: reduce)");
  let points = null, goal = null, buckets = null, groups = null, lit = null, atlas = null, pictures = false, moving = 0;
  let centre = [0, 0], zoom = 1, hovered = null, line = null, sorted = { key: "", kept: [] };
  let marks = { pinned: null, own: null, near: [], chosen: null };
  const under = el("canvas", { class: "smooth" }), over = el("canvas", { class: "smooth" }), pixels = pixelsOf(under);
  const face = el("canvas", { class: "smooth", width: 64, height: 64 }), words = el("span"), tip = el("div", { class: "inside-gallery-tip", hidden: true }, face, words);
  const live = el("span", { class: "inside-hidden", "aria-live": "polite" });
  const plane = el("div", { class: "inside-plane inside-gallery-map", tabindex: "0", role: "application", "aria-roledescription": "map of pictures" }, under, over, tip, live);

  // ---------- from the map to the screen and back

  const dense = () => Math.min(devicePixelRatio || 1, 2);
  const unit = () => 0.46 * Math.min(plane.clientWidth, plane.clientHeight) * zoom; // px for 1 of the map
  const toScreen = (i) => [plane.clientWidth / 2 + (points[2 * i] - centre[0]) * unit(), plane.clientHeight / 2 + (points[2 * i + 1] - centre[1]) * unit()];
  const toMap = (x, y) => [centre[0] + (x - plane.clientWidth / 2) / unit(), centre[1] + (y - plane.clientHeight / 2) / unit()];
  const isLit = (i) => !lit || lit[i] === 1;
  const radius = () => Math.round(4 * Math.min(Math.max(130 / Math.sqrt(points.length / 2), 2.4), 6) * Math.min(zoom ** 0.25, 2) * dense()) / 4;

  /* Which points are shown as pictures. Settled for each doubling of the zoom on the map itself, so
     that moving it changes nothing. */
  function shownPictures() {
    if (!pictures || !atlas) return [];
    const level = Math.round(2 * Math.log2(zoom)) / 2, base = unit() / zoom, key = `${level} ${Math.round(base)}`;
    if (sorted.key !== key || sorted.points !== points) sorted = { key, points, kept: spacedOut(points, (SIDE + 2) / (base * 2 ** level), []) };
    return sorted.kept;
  }

  // ---------- drawing

  function background() {
    return (getComputedStyle(plane).backgroundColor.match(/[\d.]+/g) ?? [255, 255, 255]).slice(0, 3).map(Number);
  }

  function draw() {
    const width = plane.clientWidth, height = plane.clientHeight, ratio = dense();
    if (!width || !points) return;
    const W = Math.round(width * ratio), H = Math.round(height * ratio), k = unit() * ratio, n = points.length / 2, r = radius();
    const left = W / 2 - centre[0] * k, top = H / 2 - centre[1] * k;
    pixels.begin(W, H, background());
    for (const front of lit ? [false, true] : [true])
      for (let i = 0; i < n; i++) {
        if (isLit(i) !== front) continue;
        pixels.dot(left + points[2 * i] * k, top + points[2 * i + 1] * k, r, front ? colourOf(groups[i]) : FAINT, front ? 0.88 : 0.22);
      }
    pixels.end();
    drawOver();
  }

  function drawOver() {
    const width = plane.clientWidth, height = plane.clientHeight, ratio = dense();
    if (!width || !points) return;
    if (over.width !== Math.round(width * ratio) || over.height !== Math.round(height * ratio)) { over.width = Math.round(width * ratio); over.height = Math.round(height * ratio); }
    const pen = over.getContext("2d");
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, width, height);
    for (const i of shownPictures()) drawPicture(pen, i, isLit(i) ? 1 : 0.18);
    drawMarks(pen);
    if (line) drawLine(pen);
  }

  function drawPicture(pen, i, opacity) {
    const [x, y] = toScreen(i), half = SIDE / 2;
    if (x < -half || y < -half || x > plane.clientWidth + half || y > plane.clientHeight + half) return;
    pen.globalAlpha = opacity;
    pen.fillStyle = `rgb(${colourOf(groups[i])})`;
    pen.fillRect(x - half - 2.5, y - half - 2.5, SIDE + 5, SIDE + 5);
    atlas.draw(pen, i, x - half, y - half, SIDE);
    pen.globalAlpha = 1;
  }

  function ring(pen, i, r, colour, dash = []) {
    const [x, y] = toScreen(i), square = shownPictures().includes(i) ? SIDE / 2 + 4 : 0;
    for (const [ink, thick] of [["rgb(0 0 0 / 0.75)", 4.5], [colour, 2.5]]) {
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
      pen.strokeStyle = getComputedStyle(plane).getPropertyValue("--inside-quiet");
      pen.lineWidth = 1;
      for (const i of marks.near) { const [a, b] = toScreen(i); pen.beginPath(); pen.moveTo(x, y); pen.lineTo(a, b); pen.stroke(); }
      for (const i of marks.near) ring(pen, i, r - 1, "#fff");
    }
    if (marks.own !== null) { ring(pen, marks.own, r + 4, "#7dd3fc", [4, 3]); label(pen, marks.own, "your picture", r); }
    if (marks.pinned !== null) ring(pen, marks.pinned, r, "#ffe066");
    if (hovered !== null) ring(pen, hovered, r, "#fff");
  }

  function label(pen, i, text, r) {
    const [x, y] = toScreen(i), up = shownPictures().includes(i) ? SIDE / 2 + 12 : r + 12;
    pen.font = "600 12px system-ui, sans-serif";
    pen.textAlign = "center";
    pen.lineWidth = 4;
    pen.strokeStyle = `rgb(${background()})`;
    pen.strokeText(text, x, y - up);
    pen.fillStyle = getComputedStyle(plane).color;
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
    pen.strokeStyle = getComputedStyle(plane).getPropertyValue("--inside-accent");
    pen.stroke();
    pen.setLineDash([]);
  }

  const redraw = Inside.eachFrame(draw), redrawOver = Inside.eachFrame(drawOver);

  // ---------- what is under the pointer

  function under_(x, y) {
    if (!points || moving) return null;
    const half = SIDE / 2 + 2;
    const picture = shownPictures().findLast((i) => { const [a, b] = toScreen(i); return isLit(i) && Math.abs(a - x) < half && Math.abs(b - y) < half; });
    return picture ?? buckets.nearest(...toMap(x, y), 16 / unit(), isLit);
  }

  function hover(index, aloud = false) {
    if (index === hovered) return;
    hovered = index;
    tip.hidden = index === null;
    if (index !== null) {
      const [x, y] = toScreen(index), width = plane.clientWidth, height = plane.clientHeight;
      if (atlas) atlas.paint(face, index);
      words.textContent = asked.say(index);
      tip.style.left = x > width / 2 ? "auto" : `${Math.max(x + 20, 4)}px`;
      tip.style.right = x > width / 2 ? `${Math.max(width - x + 20, 4)}px` : "auto";
      tip.style.top = y > height / 2 ? "auto" : `${Math.max(y, 4)}px`;
      tip.style.bottom = y > height / 2 ? `${Math.max(height - y, 4)}px` : "auto";
      if (aloud) live.textContent = words.textContent.replaceAll("\n", ", ");
    }
    redrawOver();
    asked.onhover(index);
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

  function zoomAt(factor, x = plane.clientWidth / 2, y = plane.clientHeight / 2) {
    const [mx, my] = toMap(x, y), next = Math.min(Math.max(zoom * factor, 1), DEEPEST);
    const keep = zoom / next; // what lies under the pointer stays there
    look(mx + (centre[0] - mx) * keep, my + (centre[1] - my) * keep, next);
    if (next === 1) look(0, 0, 1);
  }

  const pan = (dx, dy) => look(centre[0] - dx / unit(), centre[1] - dy / unit(), zoom);

  /* Brings a point into sight, if it is not. */
  function bring(i) {
    const [x, y] = toScreen(i), edge = 20;
    if (x < edge || y < edge || x > plane.clientWidth - edge || y > plane.clientHeight - edge) look(points[2 * i], points[2 * i + 1], zoom);
  }

  function step(direction) {
    const from = hovered ?? marks.pinned ?? points.findIndex((_, at) => at % 2 === 0 && isLit(at / 2)) / 2;
    const next = hovered === null && marks.pinned === null ? from : ahead(points, from, direction, isLit);
    if (next === null || next < 0) return;
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
    asked.onlasso(inside(points, path.map(([x, y]) => toMap(x, y))).filter(isLit), added);
  }

  const hand = hands(plane, { under: under_, hover, zoomAt, pan, step, lasso, whole: () => look(0, 0, 1), pick: (i) => asked.onpick(i), at: () => hovered, clear: () => { hover(null); asked.onclear(); }, toggle: (i) => asked.onlasso([i], "toggle") });
  const lassoing = () => hand.lassoing;
  new ResizeObserver(() => redraw()).observe(plane);
  new MutationObserver(() => redraw()).observe(document.body, { attributes: true, attributeFilter: ["class"] }); // light and dark

  /* From where the points are to where they belong: the eye can follow a group. */
  function moveTo(next) {
    cancelAnimationFrame(moving);
    moving = 0;
    const from = points;
    goal = next;
    buckets = bucketsOf(next);
    hover(null);
    if (!from || from.length !== next.length || still.matches || plane.offsetParent === null) { points = next; draw(); return; }
    const begin = performance.now(), between = new Float32Array(next.length);
    const frame = (now) => {
      const t = Math.min(Math.max((now - begin) / MORPH, 0), 1), ease = t * t * (3 - 2 * t);
      if (t === 1) { points = next; moving = 0; draw(); return; }
      for (let i = 0; i < next.length; i++) between[i] = from[i] + (next[i] - from[i]) * ease;
      points = between;
      sorted.key = "";
      draw();
      moving = requestAnimationFrame(frame);
    };
    moving = requestAnimationFrame(frame);
  }

  return {
    node: plane, zoomAt, hand,
    whole: () => look(0, 0, 1),
    /* A gallery is opened: nothing of the one before stays. */
    open(sheets, count, asPictures, name) {
      cancelAnimationFrame(moving);
      [atlas, pictures, points, goal, groups, lit, moving, zoom, centre] = [sheets, asPictures, null, null, new Int32Array(count).fill(-1), null, 0, 1, [0, 0]];
      marks = { pinned: null, own: null, near: [], chosen: null };
      hovered = null;
      tip.hidden = true;
      plane.setAttribute("aria-label", `${name}: ${count} pictures as points; near points are alike. Arrows go to the next picture in that direction, Enter shows it, Space selects it, plus and minus zoom, 0 shows the whole map, Escape clears.`);
      plane.style.touchAction = "pan-y";
    },
    setPoints(xy) { moveTo(Float32Array.from(xy, (value, i) => (i % 2 ? -value : value))); }, // up is up
    setGroups(next) { groups = next; redraw(); },
    setLit(next) { lit = next; redraw(); },
    setPictures(on) { pictures = on; redraw(); },
    mark(next) { Object.assign(marks, next); redrawOver(); },
    bring(i) { if (points) bring(i); },
    hover,
    redraw,
    get state() {
      return { zoom, centre: [...centre], hovered, pictures, lassoing: hand.lassoing, moving: moving !== 0, near: marks.near, own: marks.own, tip: tip.hidden ? null : words.textContent, shown: pictures && points ? shownPictures().length : 0 };
    },
    screen: (i) => toScreen(i),
    points: () => goal,
    png() {
      const sheet = el("canvas", { width: under.width, height: under.height }), pen = sheet.getContext("2d");
      pen.drawImage(under, 0, 0);
      pen.drawImage(over, 0, 0);
      return sheet;
    },
  };
}
