/* A folder as a zip, made in the browser: stored as it is, for pictures hardly get smaller. */
import { InputError } from "../../page/errors.js";
const PICTURE = /\.(jpe?g|png|webp|gif|tiff?|bmp)$/i;
const MOST = 65535,
  LARGEST = 2 ** 32 - 1; // of a zip without its extensions

const TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  for (let bit = 0; bit < 8; bit++) n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1;
  return n;
});
function crc32(bytes) {
  let value = 0xffffffff;
  for (let i = 0; i < bytes.length; i++) value = TABLE[(value ^ bytes[i]) & 255] ^ (value >>> 8);
  return (value ^ 0xffffffff) >>> 0;
}

/* [[bytes, value], ...] -> little-endian bytes. */
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

/* [{ path, file }] -> a zip as a Blob; ontell(share) while it is made. */
export async function zipOf(files, ontell = () => {}) {
  const wanted = files.filter(
    ({ path }) =>
      PICTURE.test(path) &&
      !path.split("/").some((part) => part.startsWith(".") || part === "__MACOSX"),
  );
  if (!wanted.length)
    throw new InputError(
      "There are no pictures in what you dropped: drop a zip or a folder of JPEG, PNG, WebP, GIF, TIFF or BMP files.",
    );
  if (wanted.length > MOST)
    throw new InputError(
      `These are ${wanted.length} pictures, more than the ${MOST} that a browser can pack: make a zip of the folder yourself.`,
    );
  const parts = [],
    directory = [];
  let at = 0;
  for (const [i, { path, file }] of wanted.entries()) {
    const name = new TextEncoder().encode(path),
      crc = crc32(new Uint8Array(await file.arrayBuffer()));
    // needed version, UTF-8 names, stored, 1 January 1980, checksum, sizes, length of the name, no extra
    const shared = [
      [2, 20],
      [2, 0x0800],
      [2, 0],
      [2, 0],
      [2, 0x21],
      [4, crc],
      [4, file.size],
      [4, file.size],
      [2, name.length],
      [2, 0],
    ];
    parts.push(fields([[4, 0x04034b50], ...shared]), name, file);
    directory.push(
      fields([[4, 0x02014b50], [2, 20], ...shared, [2, 0], [2, 0], [2, 0], [4, 0], [4, at]]),
      name,
    );
    at += 30 + name.length + file.size;
    if (at > LARGEST)
      throw new InputError("These pictures are larger than 4 GB together: use the command line.");
    if (i % 20 === 0) ontell(i / wanted.length);
  }
  const length = directory.reduce((sum, part) => sum + part.byteLength, 0);
  return new Blob(
    [
      ...parts,
      ...directory,
      fields([
        [4, 0x06054b50],
        [2, 0],
        [2, 0],
        [2, wanted.length],
        [2, wanted.length],
        [4, length],
        [4, at],
        [2, 0],
      ]),
    ],
    { type: "application/zip" },
  );
}

/* Everything that was dropped, folders looked through: [{ path, file }]. */
export async function dropped(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean),
    found = [];
  if (!entries.length) return [...transfer.files].map((file) => ({ path: file.name, file }));
  const walk = async (entry, before) => {
    const path = before + entry.name;
    if (entry.isFile) {
      found.push({ path, file: await new Promise((done, fail) => entry.file(done, fail)) });
      return;
    }
    const reader = entry.createReader();
    for (;;) {
      // it gives a hundred at a time
      const some = await new Promise((done, fail) => reader.readEntries(done, fail));
      if (!some.length) return;
      for (const one of some) await walk(one, `${path}/`);
    }
  };
  for (const entry of entries) await walk(entry, "");
  return found;
}
