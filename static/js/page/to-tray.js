/* Pictures that another screen puts into the tray, which may not have been made yet. */
import { bus } from "./bus.js";
import { openScreen } from "./screens.js";

/** @type {readonly string[]} */
let waiting = [];

/**
 * Opens the tray with these pictures as its rows.
 *
 * @param {readonly string[]} rows as the server names them: gallery/NAME/INDEX, sample/FILE
 */
export function putIntoTray(rows) {
  waiting = rows;
  bus.emit("tray", { rows });
  openScreen("tray");
}

/** What was put there since this was last asked. */
export function takeWaiting() {
  const rows = waiting;
  waiting = [];
  return rows;
}
