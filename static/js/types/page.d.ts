/* What travels on the page itself; what the server sends is in scenes.d.ts. */
import type { picture } from "./scenes";

/** The picture that is open: the one prop that Python hands to the page. */
export interface View extends picture.PictureScene {
  /** Where its scenes are: view/KEY/... */
  key: string;
  model: string;
  /** what a person is shown instead of the model's name, where it is a visitor's checkpoint */
  model_title?: string;
  /** the file of the model, as lines of Python open it; absent for one that they open by its name */
  weights?: string;
  /** what those lines have to say of the file, as the command line takes it */
  said?: Partial<Record<"heads" | "grid" | "branch", string>>;
  /** what a classifier beside the model's backbone reads, in a sentence; absent without one */
  classifier?: string;
  /** px, the short side that was asked for */
  size: number;
  /** file name of a sample; empty for a picture of the visitor's own */
  sample: string;
  /** where a picture of the visitor's own came from: upload/NAME or gallery/NAME/INDEX */
  origin?: string;
  seed: number;
}

declare global {
  interface HTMLElement {
    /** What a view says it shows: `page.expose(...)` in a screen, read by tests. */
    inside?: object;
  }
  interface Window {
    Inside: typeof import("../boot.js").Inside;
  }
}
