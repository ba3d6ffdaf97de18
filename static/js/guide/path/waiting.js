/* Waiting for a screen to have come so far: it is drawn, and a part of it is there to be seen. */

const LIMIT = 60_000; // ms; a model may be at work
const AGAIN = 250; // ms after which it is looked again: a canvas is drawn without any change

/**
 * The first value that `look` finds, asked after every change of the page and now and then; null when
 * it takes too long or is given up.
 *
 * @template T
 * @param {() => T | null | undefined | false} look
 * @param {AbortSignal} signal
 * @returns {Promise<T | null>}
 */
export function appears(look, signal) {
  return new Promise((resolve) => {
    const now = look();
    if (now) return resolve(now);
    /** @param {T | null} found */
    const end = (found) => {
      watching.disconnect();
      clearInterval(again);
      clearTimeout(limit);
      resolve(found);
    };
    const lookNow = () => {
      const found = look();
      if (found) end(found);
    };
    const watching = new MutationObserver(lookNow),
      again = setInterval(lookNow, AGAIN);
    const limit = setTimeout(() => end(null), LIMIT);
    signal.addEventListener("abort", () => end(null), { once: true });
    watching.observe(document.body, { childList: true, subtree: true, attributes: true });
  });
}

/** The place of a screen, once it shows its picture. @param {string} name */
export function readyScreen(name) {
  const root = document.querySelector(`[data-view="${name}"][data-ready]`);
  const isBusy = root?.getAttribute("aria-busy") === "true" || root?.hasAttribute("data-drawing");
  return root instanceof HTMLElement && !isBusy ? root : null;
}

/** The first element of a selector that can be seen. @param {ParentNode} root @param {string} selector */
export function visiblePart(root, selector) {
  for (const one of root.querySelectorAll(selector))
    if (one instanceof HTMLElement && one.offsetParent && one.offsetHeight > 20) return one;
  return null;
}
