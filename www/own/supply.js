// Own data on its way to the engine: as data.js hands over MNIST, in chunks of IDX files, but all of it is here.

import { SIDE } from './idx.js';

/** @typedef {import('../protocol.js').OwnData} OwnData */

const CHUNK = 10_000;
const PIXELS = SIDE * SIDE;

/** An IDX file of bytes. @param {number[]} extents @param {Uint8Array} bytes */
function idx(extents, bytes) {
  const head = 4 + 4 * extents.length;
  const file = new Uint8Array(head + bytes.length);
  const view = new DataView(file.buffer);
  view.setUint32(0, 0x800 + extents.length);
  extents.forEach((extent, k) => view.setUint32(4 + 4 * k, extent));
  file.set(bytes, head);
  return file;
}

/** Images with rows and columns exchanged. @param {Uint8Array} images */
export function turned(images) {
  const others = new Uint8Array(images.length);
  for (let at = 0; at < images.length; at += PIXELS) {
    for (let k = 0; k < PIXELS; k++) others[at + (k % SIDE) * SIDE + Math.floor(k / SIDE)] = /** @type {number} */ (images[at + k]);
  }
  return others;
}

export class OwnSupply {
  /** @param {OwnData} own */
  constructor(own) {
    this.own = own;
  }

  /** @param {number} k */
  async chunk(k) {
    const [from, to] = [k * CHUNK, Math.min((k + 1) * CHUNK, this.own.count)];
    const part = this.own.images.subarray(from * PIXELS, to * PIXELS);
    return {
      images: idx([to - from, SIDE, SIDE], this.own.turned ? turned(part) : part),
      labels: idx([to - from], this.own.labels.subarray(from, to)),
    };
  }

  /** @param {number} _k */
  has(_k) {
    return true;
  }

  /** @param {number} count */
  async chunksFor(count) {
    return Math.ceil(Math.min(count, this.own.count) / CHUNK);
  }

  /** @param {number} _k */
  repeat(_k) {}

  /** There are no others. */
  async unseen() {
    return null;
  }
}
