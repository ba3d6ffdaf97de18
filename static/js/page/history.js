/* The browser's Back and Forward go through the screens and the pictures that were opened, and only
   then out of the page. */
import { reopen } from "./reopening.js";
import { headingFor, isSamePlace, parseLink, travel } from "./link.js";
import { openScreen, STRIP, sendToPython } from "./screens.js";
import { select } from "./selection.js";

/**
 * What a step of the history asks for, compared with what is shown or on its way.
 *
 * @param {import("./link.js").LinkState} wanted
 * @param {Readonly<import("./link.js").LinkState>} shown
 */
export function stepTo(wanted, shown) {
  const { layer, head = null, row = null, col = null } = wanted;
  return {
    screen: wanted.screen && wanted.screen !== shown.screen ? wanted.screen : null,
    picture: !isSamePlace(wanted, shown),
    selects: { head, row, col, ...(layer === undefined ? {} : { layer }) },
  };
}

/** Python opens what a link names; a picture of one's own may have to be sent again. @param {string} hash */
async function ask(hash) {
  const { picture } = parseLink(hash).state;
  if (picture) await reopen(picture).catch(() => null); // Python will say that it is not there
  sendToPython(STRIP, hash);
}

/** Follows the browser's steps from now on. */
export function followHistory() {
  addEventListener("popstate", () => {
    const { hash } = location;
    const wanted = parseLink(hash).state,
      { screen, picture, selects } = stepTo(wanted, headingFor());
    travel(
      () => {
        if (screen) openScreen(screen);
        if (picture) void ask(hash); // which opens it
        select(selects);
      },
      picture ? wanted : null,
    );
  });
}
