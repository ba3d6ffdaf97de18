/* Pictures on their way to the server: a zip, or a folder that the browser packs. */
import { InputError } from "../../page/errors.js";
import { sendFile } from "../../page/uploads.js";
import { percent } from "../../ui/format.js";
import { isPicture, zipOf } from "./zip.js";

/** @typedef {{ path: string, file: File }} NamedFile */

/**
 * @typedef {object} Options of the gallery that is to be made
 * @property {string} size px
 * @property {string} model
 */

/**
 * Sends what a visitor gave, packed where it is not one file already.
 *
 * @param {NamedFile[]} files
 * @param {Options} options
 * @param {(words: string, share: number) => void} onprogress how far it is
 * @returns {Promise<import("./state.js").Card>}
 */
export async function upload(files, options, onprogress) {
  const [first] = files;
  if (!first) throw new InputError("There is nothing in what you dropped.");
  if (files.length === 1 && !isPicture(first.path))
    return send(first.file.name, first.file, options, onprogress);
  const name = `${first.path.split("/")[0].replace(/\.\w+$/, "")}.zip`;
  const packed = await zipOf(files, (share) =>
    onprogress(`Packing the folder: ${percent(share, 0)}.`, share),
  );
  return send(name, packed, options, onprogress);
}

/**
 * @param {string} name
 * @param {Blob} body
 * @param {Options} options
 * @param {(words: string, share: number) => void} onprogress
 * @returns {Promise<import("./state.js").Card>}
 */
const send = (name, body, { size, model }, onprogress) =>
  sendFile(`galleries?${new URLSearchParams({ name, size, model })}`, body, (share) =>
    onprogress(`${name}: ${percent(share, 0)} sent.`, share),
  );
