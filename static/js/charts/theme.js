/* Light or dark: charts are drawn by the server in the colours of either. */

/** Which form of a chart to ask the server for. */
export const chartForm = () =>
  document.body.classList.contains("dark")
    ? /** @type {const} */ ("chart-dark")
    : /** @type {const} */ ("chart");

/**
 * Tells when the page turns light or dark.
 *
 * @param {() => unknown} listener
 */
export function onTheme(listener) {
  let shown = chartForm();
  new MutationObserver(() => {
    if (shown === chartForm()) return;
    shown = chartForm();
    listener();
  }).observe(document.body, { attributes: true, attributeFilter: ["class"] });
}
