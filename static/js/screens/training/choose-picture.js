/* Which of the pictures that a run follows is shown. */
import { choice } from "../../ui/controls.js";
import { el } from "../../ui/dom.js";

/** @param {(name: string, index: number) => void} onchoose */
export function createPictureChooser(onchoose) {
  const node = el("div", { class: "inside-controls" });
  let offered = "";
  return {
    node,
    /**
     * What there is to choose from; a single picture is no choice.
     *
     * @param {readonly string[]} names
     * @param {number} chosen
     */
    offer(names, chosen) {
      if (offered === names.join()) return;
      offered = names.join();
      const named = names.map((name, i) => /** @type {const} */ ([i, name]));
      const pick = choice("Picture", named, chosen, (i) => onchoose(names[i], i));
      node.replaceChildren(...(names.length > 1 ? [pick.node] : []));
    },
  };
}
