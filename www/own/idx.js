// A pair of IDX files, as people have them: under any name, gzipped or not, larger than what is kept of them. A file's
// magic number says whether it holds images or labels. Read as a stream, so that no more than what is used is unpacked
// into memory; each header is held to what follows.

import { OwnFault } from './fault.js';

/** @typedef {import('../protocol.js').OwnData} OwnData */
/** `bytes`: the images or labels, of which `count` there are in the file. @typedef {{kind: 'images'|'labels', file: string, count: number, bytes: Uint8Array}} Half */

export const SIDE = 28;
/** What a run takes. */
export const MOST_IMAGES = 60_000;
/** Labels are all looked at, even those of images that aren't used. */
const MOST_LABELS = 10_000_000;

const IMAGES_MAGIC = 0x803;
const LABELS_MAGIC = 0x801;

/** Bytes from a stream, as many as asked for. */
class Source {
  /** What the last piece had more than was asked for. @type {Uint8Array} */
  #rest = new Uint8Array();

  /** @param {ReadableStream<Uint8Array>} stream */
  constructor(stream) {
    this.reader = stream.getReader();
  }

  /** The next bytes, fewer only at the end. @param {number} most */
  async read(most) {
    const bytes = new Uint8Array(most);
    let size = 0;
    for (let piece = await this.#next(); piece; piece = await this.#next()) {
      const taken = piece.subarray(0, most - size);
      bytes.set(taken, size);
      size += taken.length;
      this.#rest = piece.subarray(taken.length);
      if (size === most) break;
    }
    return bytes.subarray(0, size);
  }

  /** How many more there are, up to `most`. @param {number} most */
  async count(most) {
    let size = 0;
    for (let piece = await this.#next(); piece && size < most; piece = await this.#next()) size += piece.length;
    return Math.min(size, most);
  }

  async #next() {
    const rest = this.#rest;
    this.#rest = new Uint8Array();
    if (rest.length > 0) return rest;
    const { value } = await this.reader.read();
    return value;
  }
}

/** @param {File} file @returns {Promise<{stream: ReadableStream<Uint8Array>, packed: boolean}>} */
async function opened(file) {
  const [a, b] = new Uint8Array(await file.slice(0, 2).arrayBuffer());
  const packed = a === 0x1f && b === 0x8b;
  return { stream: packed ? file.stream().pipeThrough(new DecompressionStream('gzip')) : file.stream(), packed };
}

/**
 * One file of a pair, or an OwnFault.
 * @param {File} file
 * @returns {Promise<Half>}
 */
export async function readIdx(file) {
  const { stream, packed } = await opened(file);
  const source = new Source(stream);
  try {
    return await read(source, file.name);
  } catch (error) {
    if (error instanceof OwnFault) throw error;
    throw new OwnFault(packed ? 'gzip' : 'unreadable', file.name, { detail: error instanceof Error ? error.message : String(error) });
  } finally {
    // Nothing waits for it; what the stream was cut short by has been told.
    source.reader.cancel().catch(() => {});
  }
}

/** @param {Source} source @param {string} file @returns {Promise<Half>} */
async function read(source, file) {
  const beginning = await source.read(4);
  if (beginning.length < 4) throw new OwnFault('truncated', file, { expected: 4, found: beginning.length });
  const magic = word(beginning, 0);
  if (magic !== IMAGES_MAGIC && magic !== LABELS_MAGIC) throw new OwnFault('magic', file, { magic: hexadecimal(magic) });
  const kind = magic === IMAGES_MAGIC ? 'images' : 'labels';
  const size = kind === 'images' ? 12 : 4;
  const head = await source.read(size);
  if (head.length < size) throw new OwnFault('truncated', file, { expected: size, found: head.length });
  const count = word(head, 0);
  const [rows, columns] = kind === 'images' ? [word(head, 4), word(head, 8)] : [1, 1];
  if (kind === 'images' && (rows !== SIDE || columns !== SIDE)) throw new OwnFault('shape', file, { rows, columns });
  if (count === 0) throw new OwnFault('none', file);
  if (kind === 'labels' && count > MOST_LABELS) throw new OwnFault('large', file, { count, most: MOST_LABELS });
  const expected = count * rows * columns;
  const bytes = await source.read(Math.min(count, kind === 'images' ? MOST_IMAGES : MOST_LABELS) * rows * columns);
  const found = bytes.length + (await source.count(expected - bytes.length + 1));
  if (found < expected) throw new OwnFault('truncated', file, { expected, found });
  if (found > expected) throw new OwnFault('long', file, { expected });
  const wrong = kind === 'labels' ? bytes.findIndex((label) => label > 9) : -1;
  if (wrong >= 0) throw new OwnFault('label', file, { place: wrong + 1, label: /** @type {number} */ (bytes[wrong]) });
  return { kind, file, count, bytes };
}

/** @param {Uint8Array} bytes @param {number} at */
const word = (bytes, at) => [0, 1, 2, 3].reduce((sum, k) => sum * 256 + (bytes[at + k] ?? 0), 0);

/** @param {number} magic */
const hexadecimal = (magic) => `0x${magic.toString(16).padStart(8, '0')}`;

/**
 * The data set that these files are, or an OwnFault.
 * @param {Half[]} halves
 * @returns {OwnData}
 */
export function pairOf(halves) {
  const [images, ...moreImages] = halves.filter(({ kind }) => kind === 'images');
  const [labels, ...moreLabels] = halves.filter(({ kind }) => kind === 'labels');
  const names = halves.map(({ file }) => file).join(', ');
  if (moreImages.length > 0 && labels || moreLabels.length > 0 && images) throw new OwnFault('many', names);
  if (!images) throw new OwnFault('noImages', names);
  if (!labels) throw new OwnFault('noLabels', names);
  if (images.count !== labels.count) {
    throw new OwnFault('counts', images.file, { images: images.count, other: labels.file, labels: labels.count });
  }
  const count = Math.min(images.count, MOST_IMAGES);
  return { name: images.file, found: images.count, count, images: images.bytes, labels: labels.bytes.subarray(0, count), turned: false };
}
