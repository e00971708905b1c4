// The data set on its way to the engine: what arrives, and each way it may not.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { checkIdx, DataError, fetchChunk, fetchManifest, Supply } from '../../www/data.js';

/** @param {number[]} shape @param {number} [size] */
function idx(shape, size = shape.reduce((a, b) => a * b, 1)) {
  const bytes = Buffer.alloc(4 + 4 * shape.length + size, 7);
  bytes.writeUInt32BE(0x0800 + shape.length, 0);
  shape.forEach((n, k) => bytes.writeUInt32BE(n, 4 + 4 * k));
  return bytes;
}

const images = gzipSync(idx([3, 28, 28]));
const labels = gzipSync(idx([3]));
const chunk = { first: 0, count: 3, images: 'images-0.bin', imagesBytes: images.length, labels: 'labels-0.bin', labelsBytes: labels.length };
const manifest = { name: 'MNIST', credit: '', rows: 28, columns: 28, count: 3, chunks: [chunk] };

/**
 * A server with these files.
 * @param {Record<string, Uint8Array | string>} files
 * @returns {typeof fetch}
 */
const server = (files) => async (url) => {
  const body = files[String(url).replace('data/', '')];
  return body === undefined ? new Response('', { status: 404 }) : new Response(/** @type {BodyInit} */ (body));
};
const whole = { 'manifest.json': JSON.stringify(manifest), 'images-0.bin': images, 'labels-0.bin': labels };

/** @param {Record<string, Uint8Array | string>} files */
const load = (files) => fetchChunk('data/', manifest, chunk, () => {}, server({ ...whole, ...files }));

test('a chunk arrives as plain IDX, its bytes counted', async () => {
  let bytes = 0;
  const got = await fetchChunk('data/', manifest, chunk, (n) => (bytes += n), server(whole));
  assert.deepEqual(Buffer.from(got.images), idx([3, 28, 28]));
  assert.deepEqual(Buffer.from(got.labels), idx([3]));
  assert.equal(bytes, images.length + labels.length);
});

/** @type {[string, string, string, () => Promise<unknown>][]} */
const faults = [
  ['a missing file', 'images-0.bin', 'missing', () => fetchChunk('data/', manifest, chunk, () => {}, server({ 'labels-0.bin': labels }))],
  ['a file cut short', 'images-0.bin', 'truncated', () => load({ 'images-0.bin': images.subarray(0, 20) })],
  ['a page instead of a file', 'labels-0.bin', 'corrupt', () => load({ 'labels-0.bin': '<!doctype html>'.padEnd(200) })],
  ['a damaged archive', 'images-0.bin', 'corrupt', () => load({ 'images-0.bin': Buffer.concat([images.subarray(0, -8), Buffer.alloc(8, 1)]) })],
  ['images where labels belong', 'labels-0.bin', 'corrupt', () => load({ 'labels-0.bin': images })],
  ['another count than promised', 'labels-0.bin', 'corrupt', () => load({ 'labels-0.bin': gzipSync(idx([2]), { level: 0 }) })],
  ['fewer pixels than the header says', 'images-0.bin', 'truncated', () => load({ 'images-0.bin': gzipSync(idx([3, 28, 28], 784), { level: 0 }) })],
  ['a connection that fails', 'images-0.bin', 'network', () => fetchChunk('data/', manifest, chunk, () => {}, async () => { throw new TypeError('offline'); })],
  ['a manifest that is not JSON', 'manifest.json', 'manifest', () => fetchManifest('data/', server({ 'manifest.json': '<html>' }))],
  ['a manifest without chunks', 'manifest.json', 'manifest', () => fetchManifest('data/', server({ 'manifest.json': '{"rows":28,"columns":28,"chunks":[]}' }))],
  ['a manifest that is null', 'manifest.json', 'manifest', () => fetchManifest('data/', server({ 'manifest.json': 'null' }))],
];

for (const [what, file, fault, attempt] of faults) {
  test(`${what} is a ${fault} fault that names ${file}`, async () => {
    await assert.rejects(attempt, (error) => {
      assert.ok(error instanceof DataError, String(error));
      assert.deepEqual([error.file, error.fault], [file, fault]);
      return true;
    });
  });
}

test('an IDX header of another kind is refused', () => {
  assert.throws(() => checkIdx('x', Buffer.from([0, 0, 13, 1, 0, 0, 0, 1, 5]), [1]), /not an IDX file/);
  assert.throws(() => checkIdx('x', Buffer.from([0, 0]), [1]), /2 bytes/);
});

test('a fault is told once, waits, and a retry brings the chunk past the cache', async () => {
  /** @type {Record<string, Uint8Array | string>} */
  const files = { ...whole };
  delete files['images-0.bin'];
  /** @type {DataError[]} */
  const told = [];
  /** @type {(RequestInit | undefined)[]} */
  const asked = [];
  const get = server(files);
  const supply = new Supply('data/', { progress: () => {}, failed: (error) => told.push(error) }, (url, init) => {
    asked.push(init);
    return get(url);
  });
  const arriving = supply.chunk(0);
  while (told.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  assert.deepEqual(told.map((error) => error.file), ['images-0.bin']);
  assert.equal(asked.at(-1)?.cache, undefined);
  files['images-0.bin'] = images;
  supply.retry();
  assert.equal((await arriving).images.length, 16 + 3 * 784);
  assert.equal(asked.at(-1)?.cache, 'reload');
  assert.equal(told.length, 1);
});

test('a second run takes its chunk from memory', async () => {
  let requests = 0;
  const get = server(whole);
  const supply = new Supply('data/', { progress: () => {}, failed: assert.fail }, (url) => (requests++, get(url)));
  await supply.chunk(0);
  await supply.chunk(0);
  assert.equal(requests, 3);
  assert.equal(await supply.chunksFor(1000), 1);
});
