/* What a point is, beside it and, where it was reached by a key, aloud. */
import { el } from "../ui/dom.js";

export class ScatterTip {
  /** @param {HTMLCanvasElement | null} face stands before the words */
  constructor(face) {
    this.words = el("span");
    this.node = el("div", { class: "inside-scatter-tip", hidden: true }, face, this.words);
    this.live = el("span", { class: "inside-hidden", "aria-live": "polite" });
  }

  /** What it says; null while it is hidden. */
  get text() {
    return this.node.hidden ? null : this.words.textContent;
  }

  hide() {
    this.node.hidden = true;
  }

  /**
   * @param {string} text
   * @param {readonly [number, number]} place of the point, px
   * @param {{ width: number, height: number }} plane px: the words lie on the side with more room
   */
  show(text, [x, y], { width, height }) {
    const { style } = this.node;
    this.words.textContent = text;
    style.left = x > width / 2 ? "auto" : `${Math.max(x + 20, 4)}px`;
    style.right = x > width / 2 ? `${Math.max(width - x + 20, 4)}px` : "auto";
    style.top = y > height / 2 ? "auto" : `${Math.max(y, 4)}px`;
    style.bottom = y > height / 2 ? `${Math.max(height - y, 4)}px` : "auto";
    this.node.hidden = false;
  }

  /** Tells who does not see it. @param {string} text */
  announce(text) {
    this.live.textContent = text.replaceAll("\n", ", ");
  }
}
