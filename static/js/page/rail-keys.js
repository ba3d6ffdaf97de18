/* The rail under the keyboard. Gradio's list of models opens itself again over a Tab that leaves it, and
   after Escape keeps what was typed, which is no model. It answers a key some moments later, and opens
   itself even if it has been left meanwhile. Its sizes have a name each, so that each is a tab stop and
   no arrow leads from one to the next: with one name they are a group. */

const LIST = "#model input[role=combobox]",
  SIZES = "#size input[type=radio]",
  GROUP = "input-size";
/** Keys that move on or do nothing by themselves: none of them is for the list. */
const NOT_ITS = ["Tab", "Shift", "Control", "Alt", "Meta"];

/** @param {EventTarget | null} target */
const listOf = (target) =>
  target instanceof HTMLInputElement && target.matches(LIST) ? target : null;

/** Gives the sizes one name, whenever Gradio has named one anew: it does with every choice. */
const naming = new MutationObserver(groupSizes);

function groupSizes() {
  for (const size of document.querySelectorAll(SIZES))
    if (size.getAttribute("name") !== GROUP) size.setAttribute("name", GROUP);
}

/** Closes the list where it has opened itself after it was left: it closes when it loses the focus. */
const closing = new MutationObserver((changes) => {
  for (const { target } of changes) {
    const list = listOf(target);
    if (list?.getAttribute("aria-expanded") === "true" && list !== document.activeElement)
      list.dispatchEvent(new FocusEvent("blur"));
  }
});

function watchList() {
  const list = document.querySelector(LIST);
  if (list) closing.observe(list, { attributeFilter: ["aria-expanded"] });
}

function watchSizes() {
  const sizes = document.querySelector("#size");
  if (sizes) naming.observe(sizes, { subtree: true, childList: true, attributeFilter: ["name"] });
  groupSizes();
}

export function followRailKeys() {
  let name = ""; // of the model that is shown
  watchSizes();
  document.addEventListener(
    "focusin",
    ({ target }) => {
      watchSizes(); // they may not have been there before
      watchList();
      name = listOf(target)?.value ?? name;
    },
    true,
  );
  document.addEventListener(
    "keydown",
    (event) => {
      const list = listOf(event.target);
      if (!list) return;
      if (NOT_ITS.includes(event.key)) event.stopImmediatePropagation();
      else if (event.key === "Escape" && list.value !== name) {
        list.value = name;
        list.dispatchEvent(new Event("input", { bubbles: true }));
      }
    },
    true,
  );
}
