/* Which elements stand in what is seen of the page, and which within half a window of it: who scrolls
   finds drawn what comes. */
const AROUND = "50%"; // of the window

/**
 * @typedef {object} Watched
 * @property {boolean} isNear
 * @property {boolean} isSeen
 * @property {() => unknown} come near
 * @property {() => unknown} enter what is seen
 */
/** @type {WeakMap<Element, Watched>} */
const watched = new WeakMap();

/**
 * Of the document, not of the window: a page in another one's frame has its margin too.
 *
 * @param {string} rootMargin
 * @param {(known: Watched, is: boolean) => unknown} tell
 */
const observer = (rootMargin, tell) =>
  new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries) {
        const known = watched.get(target);
        if (known) tell(known, isIntersecting);
      }
    },
    { root: document, rootMargin },
  );

const nearness = observer(AROUND, (known, is) => {
  known.isNear = is;
  if (is) known.come();
});
const sight = observer("0px", (known, is) => {
  known.isSeen = is;
  if (is) known.enter();
});

/** Whether an element that is watched is near. @param {Element} element */
export const isNear = (element) => watched.get(element)?.isNear ?? false;

/** Whether an element that is watched is seen. @param {Element} element */
export const isSeen = (element) => watched.get(element)?.isSeen ?? false;

/**
 * Watches an element from now on: what is to happen each time that it comes.
 *
 * @param {Element} element
 * @param {Pick<Watched, "come" | "enter">} events
 */
export function watch(element, events) {
  watched.set(element, { isNear: false, isSeen: false, ...events });
  nearness.observe(element);
  sight.observe(element);
}
