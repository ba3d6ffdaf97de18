/* Pointer, wheel, fingers and keys on the map: what they ask of it. */
import { rafThrottle } from "../../ui/frame.js";
const STILL = 4; // px a click may move
const STEP = 1.5; // a press of + or -
const ARROWS = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] };

export function hands(plane, map) {
  const down = new Map(); // pointer -> [x, y]
  let begun = null,
    path = null,
    free = false,
    wandered = false;

  const place = (event) => {
    const box = plane.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  const hover = rafThrottle((x, y) => {
    if (!down.size) map.hover(x === null ? null : map.under(x, y));
  });

  plane.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    plane.setPointerCapture(event.pointerId);
    down.set(event.pointerId, place(event));
    begun = place(event);
    wandered = down.size > 1;
    path = down.size === 1 && (free || event.shiftKey) ? [begun] : null;
  });

  plane.addEventListener("pointermove", (event) => {
    const here = place(event),
      before = down.get(event.pointerId);
    if (!before) {
      hover(...here);
      return;
    }
    if (Math.hypot(here[0] - begun[0], here[1] - begun[1]) > STILL) wandered = true;
    if (down.size === 2) pinch(event.pointerId, here);
    else if (path) {
      path.push(here);
      map.lasso(path);
    } else if (wandered) map.pan(here[0] - before[0], here[1] - before[1]);
    else return; // not yet a move: keep where it began
    down.set(event.pointerId, here);
  });

  /* Two fingers: their distance zooms, their middle moves. */
  function pinch(moved, here) {
    const [other] = [...down].filter(([id]) => id !== moved).map(([, at]) => at),
      before = down.get(moved);
    const apart = (a) => Math.max(Math.hypot(a[0] - other[0], a[1] - other[1]), 8),
      middle = (a) => [(a[0] + other[0]) / 2, (a[1] + other[1]) / 2];
    const [from, to] = [middle(before), middle(here)];
    map.pan(to[0] - from[0], to[1] - from[1]);
    map.zoomAt(apart(here) / apart(before), ...to);
  }

  function up(event) {
    if (!down.delete(event.pointerId)) return;
    if (path) {
      map.lasso(
        event.type === "pointerup" && path.length > 2 ? path : null,
        event.shiftKey && free ? "add" : "new",
      );
      path = null;
    } else if (event.type === "pointerup" && !wandered) {
      const index = map.under(...place(event));
      if (index !== null) map.pick(index);
    }
  }
  plane.addEventListener("pointerup", up);
  plane.addEventListener("pointercancel", up);
  plane.addEventListener("pointerleave", () => hover(null, null));

  plane.addEventListener(
    "wheel",
    (event) => {
      event.preventDefault();
      const pixels = event.deltaY * (event.deltaMode === 1 ? 16 : 1);
      map.zoomAt(Math.exp(-Math.min(Math.max(pixels, -300), 300) * 0.002), ...place(event));
    },
    { passive: false },
  );
  plane.addEventListener("dblclick", (event) => map.zoomAt(2, ...place(event)));

  const keys = {
    "+": () => map.zoomAt(STEP),
    "=": () => map.zoomAt(STEP),
    "-": () => map.zoomAt(1 / STEP),
    0: () => map.whole(),
    Escape: () => map.clear(),
    Enter: () => map.at() !== null && map.pick(map.at()),
    " ": () => map.at() !== null && map.toggle(map.at()),
  };
  plane.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (ARROWS[event.key]) map.step(ARROWS[event.key]);
    else if (keys[event.key]) keys[event.key]();
    else return;
    event.preventDefault();
  });

  return {
    get lassoing() {
      return free;
    },
    set lassoing(on) {
      free = on;
      plane.classList.toggle("lasso", on);
    },
  };
}
