/* A folder as a zip, made in the browser: stored as it is, for pictures hardly get smaller. */
import { InputError } from "../../page/errors.js";

/** @typedef {import("./upload.js").NamedFile} NamedFile */
/** @typedef {[bytes: 2 | 4, value: number]} Field */

const PICTURE = /\.(jpe?g|png|webp|gif|tiff?|bmp|hei[cf]|avif)$/i;
const MOST = 65535; // files, and the largest size in bytes, of a zip without its extensions
const LARGEST = 2 ** 32 - 1;

/** By its ending. @param {string} path */
export const isPicture = (path) => PICTURE.test(path);

/** Not what a system keeps beside a person's files. @param {string} path */
const isHidden = (path) =>
  path.split("/").some((part) => part.startsWith(".") || part === "__MACOSX");

const TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  let value = n;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  return value;
});

/** The checksum of a zip's file. @param {Uint8Array} bytes */
export function crc32(bytes) {
  let value = 0xffffffff;
  for (let i = 0; i < bytes.length; i++) value = TABLE[(value ^ bytes[i]) & 255] ^ (value >>> 8);
  return (value ^ 0xffffffff) >>> 0;
}

/** Fields one after the other, little endian. @param {Field[]} list */
function fields(list) {
  const out = new DataView(new ArrayBuffer(list.reduce((sum, [size]) => sum + size, 0)));
  let at = 0;
  for (const [size, value] of list) {
    if (size === 2) out.setUint16(at, value, true);
    else out.setUint32(at, value, true);
    at += size;
  }
  return out.buffer;
}

/**
 * What a file's header and its entry in the directory have in common: needed version, UTF-8 names,
 * stored, 1 January 1980, checksum, sizes, length of the name, no extra.
 *
 * @param {number} crc
 * @param {number} size
 * @param {number} nameLength
 * @returns {Field[]}
 */
const description = (crc, size, nameLength) => [
  [2, 20],
  [2, 0x0800],
  [2, 0],
  [2, 0],
  [2, 0x21],
  [4, crc],
  [4, size],
  [4, size],
  [2, nameLength],
  [2, 0],
];

/** Those that are packed. InputError where a browser cannot. @param {NamedFile[]} files */
function wantedOf(files) {
  const wanted = files.filter(({ path }) => isPicture(path) && !isHidden(path));
  if (!wanted.length)
    throw new InputError(
      "There are no pictures in what you dropped: drop a zip or a folder of JPEG, PNG, WebP, " +
        "GIF, TIFF, BMP, HEIC or AVIF files.",
    );
  if (wanted.length > MOST)
    throw new InputError(
      `These are ${wanted.length} pictures, more than the ${MOST} that a browser can pack: ` +
        "make a zip of the folder yourself.",
    );
  return wanted;
}

/**
 * @param {NamedFile[]} files
 * @param {(share: number) => void} [onprogress] while it is made
 * @returns {Promise<Blob>}
 */
export async function zipOf(files, onprogress = () => {}) {
  const wanted = wantedOf(files);
  /** @type {BlobPart[]} */
  const parts = [];
  /** @type {BlobPart[]} */
  const directory = [];
  let at = 0,
    length = 0;
  for (const [i, { path, file }] of wanted.entries()) {
    const name = new TextEncoder().encode(path),
      crc = crc32(new Uint8Array(await file.arrayBuffer())),
      shared = description(crc, file.size, name.length);
    parts.push(fields([[4, 0x04034b50], ...shared]), name, file);
    directory.push(
      fields([[4, 0x02014b50], [2, 20], ...shared, [2, 0], [2, 0], [2, 0], [4, 0], [4, at]]),
      name,
    );
    at += 30 + name.length + file.size;
    length += 46 + name.length;
    if (at > LARGEST)
      throw new InputError("These pictures are larger than 4 GB together: use the command line.");
    if (i % 20 === 0) onprogress(i / wanted.length);
  }
  const count = wanted.length;
  /** @type {Field[]} */
  const end = [
    [4, 0x06054b50],
    [2, 0],
    [2, 0],
    [2, count],
    [2, count],
    [4, length],
    [4, at],
    [2, 0],
  ];
  return new Blob([...parts, ...directory, fields(end)], { type: "application/zip" });
}

// ---------- what was dropped

/** @param {FileSystemEntry} entry @returns {entry is FileSystemFileEntry} */
const isFile = (entry) => entry.isFile;

/**
 * Everything that was dropped, folders looked through.
 *
 * @param {DataTransfer} transfer
 * @returns {Promise<NamedFile[]>}
 */
export async function dropped(transfer) {
  const entries = [...transfer.items].flatMap((item) => item.webkitGetAsEntry?.() ?? []);
  if (!entries.length) return [...transfer.files].map((file) => ({ path: file.name, file }));
  /** @type {NamedFile[]} */
  const found = [];
  for (const entry of entries) await walk(entry, "", found);
  return found;
}

/**
 * @param {FileSystemEntry} entry
 * @param {string} before the path of its folder
 * @param {NamedFile[]} found
 */
async function walk(entry, before, found) {
  const path = before + entry.name;
  if (isFile(entry)) {
    /** @type {File} */
    const file = await new Promise((done, fail) => entry.file(done, fail));
    found.push({ path, file });
    return;
  }
  const reader = /** @type {FileSystemDirectoryEntry} */ (entry).createReader();
  for (;;) {
    /** @type {FileSystemEntry[]} it gives a hundred at a time */
    const some = await new Promise((done, fail) => reader.readEntries(done, fail));
    if (!some.length) return;
    for (const one of some) await walk(one, `${path}/`, found);
  }
}
