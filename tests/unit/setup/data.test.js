// The prepared MNIST: every chunk is a valid IDX file, and together they are the original, byte for byte.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { gunzipSync } from 'node:zlib';
import { idx } from '../../../scripts/data.mjs';
import { inRoot, readJson } from '../../../scripts/places.mjs';

const manifest = readJson('public/data/mnist/manifest.json');

/** @param {string} name */
const unpacked = (name) => gunzipSync(readFileSync(inRoot('public/data/mnist', name)));

test('an IDX head names its type, its dimensions and their extents', () => {
  const bytes = idx([2, 3], new Uint8Array([1, 2, 3, 4, 5, 6]));
  assert.deepEqual([...bytes], [0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6]);
});

for (const { kind, head, original } of [
  { kind: 'images', head: 16, original: 'train-images-idx3-ubyte' },
  { kind: 'labels', head: 8, original: 'train-labels-idx1-ubyte' },
]) {
  test(`the chunks of ${kind} join to the original file`, () => {
    const chunks = manifest.chunks.map((/** @type {Record<string, any>} */ chunk) => {
      const bytes = unpacked(chunk[kind]);
      assert.equal(bytes.readUInt32BE(4), chunk.count);
      assert.equal(readFileSync(inRoot('public/data/mnist', chunk[kind])).length, chunk[`${kind}Bytes`]);
      return bytes.subarray(head);
    });
    const whole = readFileSync(inRoot('data/mnist', original)).subarray(head);
    assert.ok(Buffer.concat(chunks).equals(whole));
  });
}

test('with them come the test images, which no judge has learnt from', () => {
  const { count, images, labels } = manifest.test;
  assert.equal(count, 10000);
  const original = (/** @type {string} */ name, /** @type {number} */ head, /** @type {number} */ size) => readFileSync(inRoot('data/mnist', name)).subarray(head, head + count * size);
  assert.ok(unpacked(images).subarray(16).equals(original('t10k-images-idx3-ubyte', 16, 784)));
  assert.ok(unpacked(labels).subarray(8).equals(original('t10k-labels-idx1-ubyte', 8, 1)));
});

test('the chunks follow each other without a gap', () => {
  let next = 0;
  for (const { first, count } of manifest.chunks) {
    assert.equal(first, next);
    next += count;
  }
  assert.equal(next, manifest.count);
});
