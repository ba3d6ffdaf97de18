/* The light on the part that a stop is about: all else is dimmed, and can still be used. It follows the
   part wherever the page moves it. */
import { el } from "../../ui/dom.js";
import { rafThrottle } from "../../ui/frame.js";

const MARGIN = 8; // px around the part

/** @param {(part: DOMRect) => void} onmove the part is somewhere else */
export function createSpotlight(onmove) {
  const node = el("div", { class: "inside-spotlight", hidden: true, "aria-hidden": "true" });
  /** @type {Element | null} */
  let part = null;
  const place = rafThrottle(() => {
    if (!part?.isConnected) return;
    const box = part.getBoundingClientRect();
    if (!box.width) return;
    node.style.left = `${box.left - MARGIN}px`;
    node.style.top = `${box.top - MARGIN}px`;
    node.style.width = `${box.width + 2 * MARGIN}px`;
    node.style.height = `${box.height + 2 * MARGIN}px`;
    onmove(box);
  });
  const sizes = new ResizeObserver(place);
  const listening = new AbortController();
  for (const event of ["scroll", "resize"])
    addEventListener(event, place, { capture: true, passive: true, signal: listening.signal });

  return {
    node,
    place,

    /** @param {Element | null} next null: everything is dimmed */
    turnTo(next) {
      sizes.disconnect();
      part = next;
      node.hidden = !next;
      if (!next) return;
      sizes.observe(next);
      sizes.observe(document.body); // what stands above may grow
      place();
    },

    end() {
      sizes.disconnect();
      listening.abort();
      node.remove();
    },
  };
}
