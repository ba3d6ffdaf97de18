/* Ten thousand points on one canvas: stamped into its pixels, found again by a grid of buckets.

   Filling as many circles takes a canvas longer than a frame without a graphics card; copying a small
   stamp pixel by pixel takes a few milliseconds anywhere. */

export const PALETTE = [
  [99, 102, 241],
  [217, 119, 6],
  [13, 148, 136],
  [219, 39, 119],
  [101, 163, 13],
  [2, 132, 199],
  [220, 38, 38],
  [147, 51, 234],
  [168, 96, 50],
  [100, 116, 139],
  [192, 38, 211],
  [6, 182, 212],
];
export const FAINT = [148, 163, 184]; // what has no group, or stands back

/* The colour of a group: a table first, then hues a golden angle apart. */
export function colourOf(group) {
  if (group < 0) return FAINT;
  if (group < PALETTE.length) return PALETTE[group];
  const hue = (group * 137.508) % 360,
    light = 0.42 + 0.14 * (group % 2),
    part = 0.55 * Math.min(light, 1 - light);
  return [0, 8, 4].map((n) => {
    const k = (n + hue / 30) % 12;
    return Math.round(255 * (light - part * Math.max(-1, Math.min(k - 3, 9 - k, 1))));
  });
}

/* A disc of a radius in pixels, row by row: where it is full, and how much of 256 of each pixel before
   and after that it covers. */
function disc(radius) {
  const half = Math.ceil(radius),
    rows = [];
  for (let y = -half; y <= half; y++) {
    const cover = Array.from({ length: 2 * half + 1 }, (_, i) =>
      Math.round(256 * Math.min(Math.max(radius + 0.5 - Math.hypot(i - half, y), 0), 1)),
    );
    const from = cover.findIndex((one) => one === 256);
    rows.push({
      cover: Uint16Array.from(cover),
      from: from < 0 ? cover.length : from,
      to: from < 0 ? cover.length : cover.lastIndexOf(256) + 1,
    });
  }
  return { half, side: 2 * half + 1, rows };
}

/* A colour as the canvas has it in memory, little endian: 0xAABBGGRR. */
export const packed = ([r, g, b]) => ((255 << 24) | (b << 16) | (g << 8) | r) >>> 0;

/* `share` of 256 of one colour over another, channel by channel, two channels at a time. */
function over(colour, old, share) {
  const rb = ((colour & 0xff00ff) * share + (old & 0xff00ff) * (256 - share)) >>> 8,
    g = ((colour & 0xff00) * share + (old & 0xff00) * (256 - share)) >>> 8;
  return ((255 << 24) | (rb & 0xff00ff) | (g & 0xff00)) >>> 0;
}
export const mixed = over;

/* The pixels of a canvas, written to directly. */
export function pixelsOf(canvas) {
  const pen = canvas.getContext("2d", { alpha: false, willReadFrequently: true });
  let image = null,
    words = null,
    stamp = null,
    stampRadius = 0,
    W = 0,
    H = 0;

  function begin(width, height, ground) {
    if (!image || W !== width || H !== height) {
      canvas.width = W = width;
      canvas.height = H = height;
      image = pen.createImageData(width, height);
      words = new Uint32Array(image.data.buffer);
    }
    words.fill(ground);
  }

  function use(radius) {
    if (radius !== stampRadius) {
      stamp = disc(radius);
      stampRadius = radius;
    }
  }

  /* Stamps the disc in use. */
  function dot(x, y, colour) {
    const { half, side, rows } = stamp,
      left = Math.round(x) - half,
      top = Math.round(y) - half;
    if (left >= W || top >= H || left + side <= 0 || top + side <= 0) return;
    const low = Math.max(0, -left),
      high = Math.min(side, W - left);
    for (let j = Math.max(0, -top); j < side && top + j < H; j++) {
      const { cover, from, to } = rows[j],
        line = (top + j) * W + left,
        a = Math.max(from, low),
        b = Math.min(to, high);
      for (let i = low; i < Math.min(a, high); i++)
        if (cover[i]) words[line + i] = over(colour, words[line + i], cover[i]);
      for (let i = a; i < b; i++) words[line + i] = colour;
      for (let i = Math.max(to, low); i < high; i++)
        if (cover[i]) words[line + i] = over(colour, words[line + i], cover[i]);
    }
  }

  return { begin, use, dot, end: () => pen.putImageData(image, 0, 0) };
}

/* Buckets over points [2n]: who is near a place is looked for in a few of them. */
export function bucketsOf(points) {
  const n = points.length / 2,
    low = [Infinity, Infinity],
    high = [-Infinity, -Infinity];
  for (let i = 0; i < 2 * n; i++) {
    low[i & 1] = Math.min(low[i & 1], points[i]);
    high[i & 1] = Math.max(high[i & 1], points[i]);
  }
  const across = Math.max(1, Math.min(256, Math.round(Math.sqrt(n / 2)))),
    size = Math.max(high[0] - low[0], high[1] - low[1], 1e-9) / across;
  const place = (value, axis) =>
    Math.min(Math.max(Math.floor((value - low[axis]) / size), 0), across - 1);
  const cell = (i) => place(points[2 * i + 1], 1) * across + place(points[2 * i], 0);
  const start = new Uint32Array(across * across + 1),
    members = new Uint32Array(n);
  for (let i = 0; i < n; i++) start[cell(i) + 1]++;
  for (let c = 0; c < across * across; c++) start[c + 1] += start[c];
  const next = start.slice(0, -1);
  for (let i = 0; i < n; i++) members[next[cell(i)]++] = i;

  /* The nearest point within a distance for which `wanted(index)` holds; null without one. */
  function nearest(x, y, within, wanted) {
    let best = null,
      least = within * within;
    for (let row = place(y - within, 1); row <= place(y + within, 1); row++)
      for (let col = place(x - within, 0); col <= place(x + within, 0); col++)
        for (let at = start[row * across + col]; at < start[row * across + col + 1]; at++) {
          const i = members[at],
            away = (points[2 * i] - x) ** 2 + (points[2 * i + 1] - y) ** 2;
          if (away <= least && (!wanted || wanted(i))) {
            least = away;
            best = i;
          }
        }
    return best;
  }
  return { nearest };
}

/* The point to go to from one in a direction: near, and rather ahead than aside. */
export function ahead(points, from, [dx, dy], wanted) {
  const x = points[2 * from],
    y = points[2 * from + 1];
  let best = null,
    least = Infinity;
  for (let i = 0; i < points.length / 2; i++) {
    if (i === from || !wanted(i)) continue;
    const a = (points[2 * i] - x) * dx + (points[2 * i + 1] - y) * dy,
      side = Math.abs((points[2 * i] - x) * dy - (points[2 * i + 1] - y) * dx);
    if (a <= 1e-9 || side > 1.5 * a) continue;
    const cost = Math.hypot(a, 2 * side);
    if (cost < least) {
      least = cost;
      best = i;
    }
  }
  return best;
}

/* Which points lie in a closed line [[x, y], ...]: an odd number of its edges is on one side. */
export function inside(points, line) {
  const found = [];
  for (let i = 0; i < points.length / 2; i++) {
    const x = points[2 * i],
      y = points[2 * i + 1];
    let odd = false;
    for (let a = 0, b = line.length - 1; a < line.length; b = a++) {
      const [xa, ya] = line[a],
        [xb, yb] = line[b];
      if (ya > y !== yb > y && x < ((xb - xa) * (y - ya)) / (yb - ya) + xa) odd = !odd;
    }
    if (odd) found.push(i);
  }
  return found;
}

/* Of points that would cover each other as pictures of a side, those that are shown: one a place. */
export function spacedOut(points, side) {
  const taken = new Map(),
    kept = [];
  const key = (x, y) => x * 65536 + y;
  const offer = (i) => {
    const x = points[2 * i] / side,
      y = points[2 * i + 1] / side,
      cx = Math.floor(x),
      cy = Math.floor(y);
    for (let ax = cx - 1; ax <= cx + 1; ax++)
      for (let ay = cy - 1; ay <= cy + 1; ay++) {
        const other = taken.get(key(ax + 20000, ay + 20000));
        if (
          other !== undefined &&
          Math.abs(points[2 * other] / side - x) < 1 &&
          Math.abs(points[2 * other + 1] / side - y) < 1
        )
          return;
      }
    taken.set(key(cx + 20000, cy + 20000), i);
    kept.push(i);
  };
  for (let i = 0; i < points.length / 2; i++) offer(i);
  return kept;
}
