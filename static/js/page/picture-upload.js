/* Single pictures on their way to the server: the one of the rail, and any that is looked at beside
   it. The model sees at most some hundred pixels of a side, so a large
   photo is made smaller here, and 25 MB are no wall; EXIF rotation is kept by turning the pixels. What
   this browser cannot decode (HEIC, raw files) goes as it is: the server reads it, or says in its own
   words what it is. So do pixels of 16 bits, of which a browser would leave 8. Gradio's widget would
   turn away a file without a picture's type before that; one that stays too large it does turn away,
   and the rail says so. */
import { InputError } from "./errors.js";

const LONGEST = 2400; // px; the largest input has 518 on its short side
const SMALL = 3 * 2 ** 20; // bytes that go as they are
const LARGEST = 25 * 2 ** 20; // bytes that the server takes
const TOO_LARGE = "The file has more than the 25 MB allowed: save the picture smaller.";

/** Whether a file is one of weights, by its ending. @param {{ name: string }} file */
export const isCheckpointFile = ({ name }) => /\.(safetensors|pth|pt|bin|ckpt|zip)$/i.test(name);

/**
 * The size of a picture of which the longer side is at most `longest`.
 *
 * @param {number} width
 * @param {number} height
 * @param {number} [longest]
 * @returns {[number, number]}
 */
export function fitted(width, height, longest = LONGEST) {
  const scale = Math.min(1, longest / Math.max(width, height));
  return [Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale))];
}

/**
 * A file as it is sent: small enough where this browser can make it so, and with a type that lets it
 * pass to where it is really looked at.
 *
 * @param {File} file
 */
export async function prepared(file) {
  if (file.size > (file.type === "image/gif" ? LARGEST : SMALL) && !(await isDeep(file))) {
    const smaller = await shrunk(file).catch(() => null); // not for this browser
    if (smaller) return smaller;
  }
  if (file.type.startsWith("image/") && /\.\w+$/.test(file.name)) return file;
  return new File([file], file.name || "picture", { type: "image/png" });
}

/**
 * A file as it is sent by a screen of the page itself. InputError where it stays too large.
 *
 * @param {File} file
 */
export async function pictureToSend(file) {
  const ready = await prepared(file);
  if (ready.size > LARGEST) throw new InputError(TOO_LARGE);
  return ready;
}

/** Whether it is a PNG with 16 bits a channel, as its header says. @param {File} file */
async function isDeep(file) {
  const head = new Uint8Array(await file.slice(0, 25).arrayBuffer());
  return String.fromCharCode(...head.slice(0, 4)) === "\x89PNG" && head[24] === 16;
}

/** @param {File} file */
async function shrunk(file) {
  const bitmap = await createImageBitmap(file, { imageOrientation: "from-image" });
  const [width, height] = fitted(bitmap.width, bitmap.height);
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d");
  if (!context) return null;
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, width, height);
  bitmap.close();
  const type = file.type === "image/png" || file.type === "image/webp" ? "image/png" : "image/jpeg";
  const blob = await canvas.convertToBlob({ type, quality: 0.95 });
  if (blob.size >= file.size) return null;
  const name = file.name.replace(/\.\w+$/, "");
  return new File([blob], `${name}.${type === "image/png" ? "png" : "jpg"}`, { type });
}

/** @param {HTMLInputElement} input @param {File} file */
async function send(input, file) {
  const ready = await prepared(file);
  const transfer = new DataTransfer();
  transfer.items.add(ready);
  input.files = transfer.files;
  input.dispatchEvent(new Event("change", { bubbles: true }));
}

const RAIL = "#picture";

/** @param {EventTarget | null} target */
const widgetOf = (target) => (target instanceof Element ? target.closest(RAIL) : null);

/**
 * Stands before Gradio's widget: chosen, dropped and pasted files pass through `prepared`.
 */
export function preparePictures() {
  document.addEventListener(
    "click",
    (event) => {
      // or a file without an ending could not be chosen
      widgetOf(event.target)?.querySelector("input[type=file]")?.removeAttribute("accept");
    },
    true,
  );
  document.addEventListener(
    "change",
    (event) => {
      const input = event.target;
      if (!event.isTrusted || !(input instanceof HTMLInputElement) || !widgetOf(input)) return;
      const file = input.type === "file" ? input.files?.[0] : null;
      if (!file) return;
      event.stopImmediatePropagation();
      void send(input, file);
    },
    true,
  );
  const takeOver = (
    /** @type {DragEvent | ClipboardEvent} */ event,
    /** @type {DataTransfer | null} */ data,
  ) => {
    const file = data?.files[0],
      input = document.querySelector(`${RAIL} input[type=file]`);
    if (!file || !(input instanceof HTMLInputElement)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    void send(input, file);
  };
  document.addEventListener(
    "drop",
    (event) => {
      if (widgetOf(event.target)) takeOver(event, event.dataTransfer);
    },
    true,
  );
  document.addEventListener("paste", (event) => takeOver(event, event.clipboardData), true);
}
