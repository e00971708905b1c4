// Somebody's own data on its way in: which files make a pair, and what is said of those that don't.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { Collection, LEAST } from '../../www/own/collection.js';
import { OwnFault } from '../../www/own/fault.js';
import { MOST_IMAGES, pairOf, readIdx } from '../../www/own/idx.js';
import { kindOf } from '../../www/own/kind.js';
import { labelOf, luminance } from '../../www/own/pictures.js';
import { OwnSupply, turned } from '../../www/own/supply.js';
import { checkIdx } from '../../www/data.js';

/** @param {number[]} extents @param {Uint8Array} body @param {number} [type] */
function idx(extents, body, type = 8) {
  const head = Buffer.alloc(4 + 4 * extents.length);
  head.writeUInt32BE(256 * type + extents.length);
  extents.forEach((extent, k) => head.writeUInt32BE(extent, 4 + 4 * k));
  return Buffer.concat([head, body]);
}

/** @param {number} count */
const images = (count) => idx([count, 28, 28], Buffer.from(Array.from({ length: count * 784 }, (_, k) => (k + Math.floor(k / 784)) % 256)));
/** @param {number} count */
const labels = (count) => idx([count], Buffer.from(Array.from({ length: count }, (_, k) => k % 10)));

/** @param {string} name @param {Uint8Array | string} bytes @param {string} [type] */
const file = (name, bytes, type = '') => new File([/** @type {BlobPart} */ (bytes)], name, { type });

/** @param {Promise<unknown>} attempt @param {string} word @param {object} [facts] */
const refused = (attempt, word, facts) =>
  assert.rejects(attempt, (error) => {
    assert.ok(error instanceof OwnFault, String(error));
    assert.equal(error.word, word);
    if (facts) assert.deepEqual(error.facts, facts);
    return true;
  });

test('a pair is known by its headers, under any name, gzipped or not', async () => {
  for (const pack of [(/** @type {Buffer} */ bytes) => bytes, (/** @type {Buffer} */ bytes) => gzipSync(bytes)]) {
    const halves = [await readIdx(file('a', pack(labels(12)))), await readIdx(file('b.bin', pack(images(12))))];
    const own = pairOf(halves);
    assert.deepEqual([own.name, own.found, own.count, own.turned], ['b.bin', 12, 12, false]);
    assert.deepEqual(Buffer.from(own.images), images(12).subarray(16));
    assert.deepEqual([...own.labels], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1]);
  }
});

test('of a large pair the first images are kept, and all of it is looked at', async () => {
  const many = MOST_IMAGES + 5;
  const pixels = Buffer.alloc(many * 784, 9);
  const read = (/** @type {Buffer} */ x, /** @type {Buffer} */ y) => Promise.all([readIdx(file('x.gz', gzipSync(x, { level: 1 }))), readIdx(file('y', y))]);
  const own = pairOf(await read(idx([many, 28, 28], pixels), labels(many)));
  assert.deepEqual([own.found, own.count, own.images.length, own.labels.length], [many, MOST_IMAGES, MOST_IMAGES * 784, MOST_IMAGES]);
  await refused(read(idx([many, 28, 28], pixels.subarray(1)), labels(many)), 'truncated', { expected: many * 784, found: many * 784 - 1 });
});

/** @type {[string, Uint8Array | string, string, object?][]} */
const broken = [
  ['a header cut short', images(2).subarray(0, 11), 'truncated', { expected: 12, found: 7 }],
  ['images cut short', images(2).subarray(0, 1000), 'truncated', { expected: 1568, found: 984 }],
  ['labels cut short', labels(9).subarray(0, 12), 'truncated', { expected: 9, found: 4 }],
  ['more than the header says', Buffer.concat([labels(9), Buffer.alloc(3)]), 'long', { expected: 9 }],
  ['other extents', idx([1, 32, 30], Buffer.alloc(960)), 'shape', { rows: 32, columns: 30 }],
  ['no images', idx([0, 28, 28], Buffer.alloc(0)), 'none'],
  ['an absurd promise', idx([4_000_000_000], Buffer.alloc(5)), 'large'],
  ['absurdly many images', idx([4_000_000_000, 28, 28], Buffer.alloc(5)), 'truncated', { expected: 784 * 4_000_000_000, found: 5 }],
  ['letters', idx([5], Buffer.from([1, 2, 26, 11, 3])), 'label', { place: 3, label: 26 }],
  ['floats', idx([1], Buffer.alloc(4), 13), 'magic', { magic: '0x00000d01' }],
  ['a gzip file cut short', gzipSync(labels(5000)).subarray(0, 40), 'gzip'],
  ['a damaged gzip file', Buffer.concat([gzipSync(labels(50)).subarray(0, -8), Buffer.alloc(8, 1)]), 'gzip'],
  ['three bytes', images(1).subarray(0, 3), 'truncated', { expected: 4, found: 3 }],
  ['text, gzipped', gzipSync('7,0,0,0'), 'magic'],
];
for (const [what, bytes, word, facts] of broken) {
  test(`${what}: ${word}`, () => refused(readIdx(file('x', bytes)), word, facts));
}

test('files that are no pair are refused', async () => {
  const [x, y] = [await readIdx(file('x', images(3))), await readIdx(file('y', labels(3)))];
  const refuse = (/** @type {import('../../www/own/idx.js').Half[]} */ halves, /** @type {string} */ word, /** @type {object} */ facts = {}) =>
    refused((async () => pairOf(halves))(), word, facts);
  await refuse([x], 'noLabels');
  await refuse([x, x], 'noLabels');
  await refuse([y], 'noImages');
  await refuse([x, x, y], 'many');
  await refuse([x, y, y], 'many');
  await refuse([x, await readIdx(file('z', labels(2)))], 'counts', { images: 3, other: 'z', labels: 2 });
});

test('what a file is shows in its first bytes', async () => {
  const png = Buffer.from([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10]);
  /** @type {[File, string][]} */
  const known = [
    [file('anything', images(1)), 'idx'], [file('x.gz', gzipSync('x')), 'idx'], [file('floats-idx3-ubyte', idx([1], Buffer.alloc(4), 13)), 'idx'],
    [file('3.png', png), 'picture'], [file('3.webp', 'RIFF', 'image/webp'), 'picture'], [file('3.jpg', Buffer.from([0xff, 0xd8, 0xff, 0xe0])), 'picture'],
    [file('x.safetensors', ''), 'run'], [file('renamed', Buffer.concat([Buffer.from([9, 0, 0, 0, 0, 0, 0, 0]), Buffer.from('{}')])), 'run'],
  ];
  for (const [given, kind] of known) assert.equal(await kindOf(given), kind, given.name);
  await refused(kindOf(file('x', '')), 'empty');
  await refused(kindOf(file('x.zip', 'PK\x03\x04')), 'zip');
  await refused(kindOf(file('x.gz', Buffer.from([0xff, 0xd8, 0xff, 0xe0]))), 'notGzip');
  await refused(kindOf(file('notes.txt', 'three', 'text/plain')), 'unknown');
});

test('the engine gets whole IDX files, ten thousand images each', async () => {
  const count = 10_003;
  const own = { name: 'x', found: count, count, images: new Uint8Array(count * 784).fill(7), labels: new Uint8Array(count).fill(3), turned: false };
  const supply = new OwnSupply(own);
  assert.deepEqual([await supply.chunksFor(60_000), await supply.chunksFor(1000), supply.has(1)], [2, 1, true]);
  const last = await supply.chunk(1);
  checkIdx('images', last.images, [3, 28, 28]);
  checkIdx('labels', last.labels, [3]);
});

test('turned images have their rows as columns', async () => {
  const one = images(2).subarray(16);
  const other = turned(one);
  assert.equal(other[784 + 3 * 28 + 20], one[784 + 20 * 28 + 3]);
  assert.deepEqual(Buffer.from(turned(other)), Buffer.from(one));
  const own = { name: 'x', found: 2, count: 2, images: one, labels: new Uint8Array(2), turned: true };
  assert.deepEqual((await new OwnSupply(own).chunk(0)).images.subarray(16), other);
});

test('a picture’s label is the digit that its name begins with', () => {
  assert.deepEqual(['7.png', '3-a.jpg', '42.png', 'a7.png', 'seven.png', ''].map(labelOf), [7, 3, 4, null, null, null]);
});

test('grey is luminance', () => {
  assert.deepEqual([...luminance(Uint8ClampedArray.of(0, 0, 0, 255, 255, 255, 255, 255, 255, 0, 0, 255))], [0, 255, 76]);
});

test('a collection knows of drawings, which no file has', () => {
  const collection = new Collection();
  collection.add(new Uint8Array(784), 1);
  assert.equal(collection.hasDrawings, false);
  collection.add(new Uint8Array(784), 1, true);
  assert.equal(collection.hasDrawings, true);
  collection.remove(1);
  assert.equal(collection.hasDrawings, false);
});

test('a collection is ready with enough images, all labelled', () => {
  const collection = new Collection();
  for (let k = 0; k < LEAST; k++) {
    assert.equal(collection.isReady, false);
    collection.add(new Uint8Array(784).fill(k), k === 3 ? null : k % 4);
  }
  assert.deepEqual([collection.isReady, collection.unlabelled], [false, 1]);
  collection.relabel(3, 9);
  assert.equal(collection.isReady, true);
  assert.deepEqual(collection.counts, [3, 3, 2, 1, 0, 0, 0, 0, 0, 1]);
  const { count, images: pixels, labels: digits } = collection.dataSet();
  assert.deepEqual([count, pixels[784 * 9], digits[3]], [LEAST, 9, 9]);
  collection.remove(0);
  assert.equal(collection.isReady, false);
});
