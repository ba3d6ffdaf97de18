/* Pictures out of a zip, in the browser: its list is read from its end, and only what is wanted is
   unpacked. */

/**
 * @typedef {object} ZipEntry
 * @property {string} name with its folders
 * @property {number} method 0 stored, 8 deflated
 * @property {number} packed bytes
 * @property {number} size bytes
 * @property {number} offset of its header
 */

const END = 0x06054b50,
  LISTED = 0x02014b50,
  HEADER = 0x04034b50;
const LONGEST_END = 22 + 65535; // bytes: the end record and its comment
const LARGEST = 200 * 2 ** 20; // bytes of a picture, unpacked
const PICTURE = /\.(jpe?g|png|webp|gif|bmp|tiff?|heic|heif|avif)$/i;
const REFUSED = "This zip cannot be read here: unpack it, and drop its pictures.";

/** What is wrong with a zip, in a sentence. */
export class ZipError extends Error {}

/**
 * The pictures of a zip, in its order; hidden files and the doubles of a Mac are none.
 *
 * @param {Blob} zip
 * @returns {Promise<ZipEntry[]>}
 */
export async function picturesIn(zip) {
  const tail = await viewOf(zip.slice(Math.max(zip.size - LONGEST_END, 0)));
  let at = tail.byteLength - 22;
  while (at >= 0 && tail.getUint32(at, true) !== END) at--;
  if (at < 0) throw new ZipError(REFUSED);
  const count = tail.getUint16(at + 10, true),
    length = tail.getUint32(at + 12, true),
    start = tail.getUint32(at + 16, true);
  if (count === 0xffff || start === 0xffffffff) throw new ZipError(REFUSED); // zip64
  const list = await viewOf(zip.slice(start, start + length));
  const entries = [];
  for (let i = 0, place = 0; i < count; i++) {
    if (place + 46 > list.byteLength || list.getUint32(place, true) !== LISTED)
      throw new ZipError(REFUSED);
    const [named, extra, comment] = [28, 30, 32].map((by) => list.getUint16(place + by, true));
    const bytes = new Uint8Array(list.buffer, place + 46, named);
    entries.push({
      name: new TextDecoder().decode(bytes),
      method: list.getUint16(place + 10, true),
      packed: list.getUint32(place + 20, true),
      size: list.getUint32(place + 24, true),
      offset: list.getUint32(place + 42, true),
    });
    place += 46 + named + extra + comment;
  }
  return entries.filter(({ name }) => PICTURE.test(name) && !/(^|\/)(\.|__MACOSX\/)/.test(name));
}

/**
 * One file of a zip.
 *
 * @param {Blob} zip
 * @param {ZipEntry} entry
 * @returns {Promise<File>}
 */
export async function unpacked(zip, { name, method, packed, size, offset }) {
  const head = await viewOf(zip.slice(offset, offset + 30));
  if (head.byteLength < 30 || head.getUint32(0, true) !== HEADER || size > LARGEST)
    throw new ZipError(REFUSED);
  const start = offset + 30 + head.getUint16(26, true) + head.getUint16(28, true);
  const data = zip.slice(start, start + packed),
    file = name.split("/").at(-1) ?? name;
  if (method === 0) return new File([data], file);
  if (method !== 8) throw new ZipError(REFUSED);
  const stream = data.stream().pipeThrough(new DecompressionStream("deflate-raw"));
  const parts = await inflated(stream, size).catch(() => null);
  if (!parts) throw new ZipError(`${file} of this zip is damaged.`);
  return new File(parts, file);
}

/**
 * What a stream gives, where it is exactly as long as was said: null otherwise, and no more is read.
 *
 * @param {ReadableStream<Uint8Array<ArrayBuffer>>} stream
 * @param {number} size bytes
 */
async function inflated(stream, size) {
  const reader = stream.getReader(),
    parts = [];
  let length = 0;
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    length += next.value.byteLength;
    if (length > size) {
      await reader.cancel();
      return null;
    }
    parts.push(next.value);
  }
  return length === size ? parts : null;
}

/** @param {Blob} blob */
const viewOf = async (blob) => new DataView(await blob.arrayBuffer());
